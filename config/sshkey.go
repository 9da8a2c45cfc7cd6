package config

import (
	"crypto/rsa"
	"strings"

	"golang.org/x/crypto/ssh"

	"drawbridge/internal/sshkeys"
)

// SampleHostKey is the host key of the sample tunnel's vendor. Its private half
// was never kept, so that no server can answer with it.
const SampleHostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExmMLlUwmkMBK9UmgpbTjJGjPoEwcs1efcVMlFheV6"

// publicKey reads one SSH public key as it stands in a .pub file and returns it
// as "type base64". Otherwise it returns a clause that says what is wrong. The
// clause never repeats the text: it may be a private key.
func publicKey(text string, leastRSA int, ofHost bool) (key, fault string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", "is empty"
	}
	first := strings.Fields(text)[0]
	mayBeHost, known := sshkeys.Types[first]
	switch {
	case strings.Contains(text, "PRIVATE KEY"):
		return "", "is a private key, which is no longer secret: make a new pair and put the .pub file's line here"
	case strings.ContainsAny(text, "\r\n"):
		return "", "has more than one line"
	case strings.HasSuffix(first, "-cert-v01@openssh.com"):
		return "", "is a certificate, not a public key"
	case first == "ssh-dss":
		return "", "is a DSA key, which OpenSSH no longer takes"
	case ofHost && known && !mayBeHost:
		return "", "is a security token's key, which no host has"
	}
	parsed, _, options, _, err := ssh.ParseAuthorizedKey([]byte(text))
	switch {
	case err != nil && known:
		return "", "is damaged: its base64 part does not hold a key of its type"
	case err != nil:
		return "", "is not an SSH public key"
	case len(options) > 0:
		return "", "has something before the key type"
	case !known || parsed.Type() != first:
		return "", "is not a key of a type that is taken"
	}
	if crypto, ok := parsed.(ssh.CryptoPublicKey); ok {
		if k, ok := crypto.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() < leastRSA {
			return "", "is an RSA key that is too short"
		}
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(parsed))), ""
}
