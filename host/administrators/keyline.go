package administrators

import "drawbridge/host/bastion/sshd"

// keyLine is the line that sshd is given for one key (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"). The target is what
// sshd.Target returns, the key one that checkKey lets pass: neither holds a quote or the end of a line.
func keyLine(a access, target, key string) string {
	options := `restrict,port-forwarding,permitopen="` + target + `"`
	if a == shell {
		options += ",pty"
	} else {
		options += `,command="` + sshd.NoLogin + `"`
	}
	return options + " " + key + "\n"
}
