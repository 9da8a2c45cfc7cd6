package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"drawbridge/internal/pinned"
)

// blocks returns n different CIDR blocks as JSON.
func blocks(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("8.8.%d.0/24", i))
	}
	return asJSON(list)
}

// charts returns n charts at an address as JSON.
func charts(n int, address string) string {
	var list []pinned.Chart
	for i := range n {
		list = append(list, pinned.Chart{Title: fmt.Sprintf("Chart %d", i), Address: address})
	}
	return asJSON(list)
}

// sites returns n different origins as JSON.
func sites(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("https://site-%d.example.com", i))
	}
	return asJSON(list)
}

// keys returns n different public keys as JSON.
func keys(t testing.TB, n int) string { return asJSON(keyList(t, n)) }

// people returns n administrators with a key each as JSON.
func people(t testing.TB, n int) string {
	var list []Administrator
	for i, key := range keyList(t, n) {
		list = append(list, Administrator{fmt.Sprintf("person-%d", i), []string{key}, Shell})
	}
	return asJSON(list)
}

// manyTunnels returns n tunnels to one host as JSON.
func manyTunnels(t testing.TB, n int, key string) string {
	var list []Tunnel
	for i := range n {
		list = append(list, Tunnel{fmt.Sprintf("t%d", i), genericVendor, "bi.vendor.test", 22, "t", 15240 + i, readKey(t, key)})
	}
	return asJSON(list)
}

// tokenKey returns a public key of the kind that a FIDO token holds.
func tokenKey(t testing.TB) string {
	return authorizedKey(t, struct {
		Type        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, make([]byte, 32), "ssh:"})
}

// keyList makes Ed25519 public keys whose private halves nobody knows.
func keyList(t testing.TB, n int) []string {
	t.Helper()
	var list []string
	for i := range n {
		public := make([]byte, 32)
		public[0], public[1] = byte(i), byte(i>>8)
		list = append(list, authorizedKey(t, struct {
			Type string
			Key  []byte
		}{ssh.KeyAlgoED25519, public}))
	}
	return list
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// authorizedKey returns the line of a .pub file for a key's wire format.
func authorizedKey(t testing.TB, wire any) string {
	t.Helper()
	key, err := ssh.ParsePublicKey(ssh.Marshal(wire))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}
