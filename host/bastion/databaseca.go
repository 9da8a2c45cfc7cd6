package bastion

import (
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	"drawbridge/internal/rdsca"
)

// databaseCAs is a PEM file with RDS's certificate authorities, and those of the file with that name where it is not
// empty.
func databaseCAs(file string) (string, error) {
	var text strings.Builder
	for _, c := range rdsca.Certificates() {
		text.WriteString("# " + c.Subject.CommonName + "\n")
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	if file == "" {
		return text.String(), nil
	}
	if _, err := rdsca.PoolWith(file); err != nil { // what is wrong with it, if anything
		return "", err
	}
	more, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("the file of database certificate authorities cannot be read: %w", err)
	}
	for block, rest := pem.Decode(more); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			text.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
		}
	}
	return text.String(), nil
}
