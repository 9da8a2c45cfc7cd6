package administrators

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"drawbridge/internal/sshkeys"
	"drawbridge/internal/strictjson"
	"drawbridge/internal/unixaccounts"
)

// access is what a person may do on the jump server.
type access string

const (
	shell      access = "shell"
	tunnelOnly access = "tunnel"
)

// person is one administrator, as the value of the parameter has it.
type person struct {
	Name       string   `json:"name"`
	PublicKeys []string `json:"publicKeys"` // "type base64", as ssh.MarshalAuthorizedKey writes them
	Access     access   `json:"access"`
}

// parsePerson reads a parameter's value. Its error is a clause that never quotes the value, which may hold a private key
// by mistake.
func parsePerson(name, value string) (person, error) {
	var p person
	if err := strictjson.Decode([]byte(value), &p); errors.Is(err, strictjson.ErrMore) {
		return person{}, errors.New("something follows the JSON object in its value")
	} else if err != nil {
		return person{}, errors.New(`its value is not a JSON object with "name", "publicKeys" and "access" alone`)
	}
	if p.Name != name {
		return person{}, errors.New("the name in its value is not the last part of the parameter's name")
	}
	return p, p.check()
}

// check fails unless everything about the person is as the config of this project writes it.
func (p person) check() error {
	if !unixaccounts.IsName(p.Name) {
		return errors.New("its name is not 1 to 31 lower-case letters, digits or hyphens that start with a letter")
	}
	if unixaccounts.IsSystem(p.Name) {
		return errors.New("its name is that of an account or group of the system")
	}
	if p.Access != shell && p.Access != tunnelOnly {
		return fmt.Errorf(`its access is neither %q nor %q`, shell, tunnelOnly)
	}
	if len(p.PublicKeys) == 0 {
		return errors.New("it has no public key")
	}
	for i, key := range p.PublicKeys {
		if err := checkKey(key); err != nil {
			return fmt.Errorf("its public key number %d %w", i+1, err)
		}
	}
	return nil
}

// checkKey fails unless the text is one public key and nothing but that: no options, comment, second line or other
// spelling.
func checkKey(text string) error {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		return errors.New(`is not an SSH public key of the form "type base64"`)
	}
	if _, taken := sshkeys.Types[key.Type()]; !taken {
		return errors.New("is not of a type that is taken: Ed25519, ECDSA or RSA, and no certificate")
	}
	if !bytes.Equal(ssh.MarshalAuthorizedKey(key), []byte(text+"\n")) {
		return errors.New(`is more than "type base64" with one space between them`)
	}
	if k, ok := key.(ssh.CryptoPublicKey); ok {
		if k, ok := k.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() < sshkeys.LeastPersonRSA {
			return fmt.Errorf("is an RSA key of less than %d bits", sshkeys.LeastPersonRSA)
		}
	}
	return nil
}
