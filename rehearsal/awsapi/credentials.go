package awsapi

import (
	"crypto/rand"
	"strings"
	"sync"
	"time"
)

// Credentials are temporary credentials of a role.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// Issuer gives out credentials and knows them again. Services that share one accept the same credentials.
type Issuer struct {
	mu     sync.Mutex
	issued map[string]issued // by access key id
}

type issued struct {
	Credentials
	principal string
	expires   time.Time // zero: never
}

// The characters of what is made up.
const (
	Lower  = "abcdefghijklmnopqrstuvwxyz"
	Upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	Digits = "0123456789"
)

// Issue makes credentials for a role, named by its ARN. With a lifetime of 0 they do not expire.
func (i *Issuer) Issue(principal string, lifetime time.Duration) Credentials {
	made := issued{principal: principal, Credentials: Credentials{
		AccessKeyID:     "ASIA" + RandomText(16, Upper+Digits),
		SecretAccessKey: RandomText(40, Upper+Lower+Digits),
		SessionToken:    RandomText(120, Upper+Lower+Digits),
	}}
	if lifetime != 0 {
		made.expires = time.Now().Add(lifetime)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.issued == nil {
		i.issued = map[string]issued{}
	}
	i.issued[made.AccessKeyID] = made
	return made.Credentials
}

func (i *Issuer) find(accessKeyID string) (issued, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	found, ok := i.issued[accessKeyID]
	return found, ok
}

// RandomText is n random characters of the alphabet.
func RandomText(n int, alphabet string) string {
	var text strings.Builder
	for text.Len() < n {
		var b [1]byte
		_, _ = rand.Read(b[:]) // it never fails
		// The bytes beyond the last whole alphabet would favour its first characters.
		if int(b[0]) < 256-256%len(alphabet) {
			text.WriteByte(alphabet[int(b[0])%len(alphabet)])
		}
	}
	return text.String()
}
