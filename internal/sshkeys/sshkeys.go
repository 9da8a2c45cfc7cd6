// Package sshkeys says which SSH public keys this project takes: in its config, and on the jump server.
package sshkeys

import "golang.org/x/crypto/ssh"

// Types are the types of keys that are taken, and whether a host may have one of the type: the sk- types need a person to
// touch a token.
var Types = map[string]bool{
	ssh.KeyAlgoED25519:    true,
	ssh.KeyAlgoECDSA256:   true,
	ssh.KeyAlgoECDSA384:   true,
	ssh.KeyAlgoECDSA521:   true,
	ssh.KeyAlgoRSA:        true,
	ssh.KeyAlgoSKED25519:  false,
	ssh.KeyAlgoSKECDSA256: false,
}

// The least number of bits of an RSA key: NIST SP 800-57's 128-bit strength for people's keys, the 112-bit one for a
// vendor's host key, which only the vendor can change.
const (
	LeastPersonRSA = 3072
	LeastHostRSA   = 2048
)
