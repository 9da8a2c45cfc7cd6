package constructs

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"os"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"

	"drawbridge/host/settings"
)

//go:embed userdata.sh
var userDataScript string

// userData is the script that an instance runs at its first start.
func userData(region, signalURL string, program awss3assets.Asset, sha256 string, s *settings.Settings) string {
	return strings.NewReplacer(
		"@REGION@", region,
		"@SIGNAL_URL@", signalURL,
		"@BUCKET@", *program.S3BucketName(),
		"@KEY@", *program.S3ObjectKey(),
		"@SHA256@", sha256,
		"@SETTINGS@", *jsonText(s),
	).Replace(userDataScript)
}

// fileSHA256 is the SHA-256 of a file, in hexadecimal digits.
func fileSHA256(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		panic("an asset cannot be read: " + err.Error())
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
