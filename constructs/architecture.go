package constructs

import "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"

// Architecture is a processor architecture, in the words of EC2's API.
type Architecture string

const (
	ARM64  Architecture = "arm64"
	X86_64 Architecture = "x86_64"
)

// amazonLinux2023 is the public parameter of the newest Amazon Linux 2023 AMI (Amazon Linux 2023 User Guide, "AL2023 on
// Amazon EC2").
func (a Architecture) amazonLinux2023() string {
	return "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-" + string(a)
}

// debian13 is the public parameter of the newest Debian 13 AMI, which Debian's cloud team keeps (Debian wiki,
// "Cloud/AmazonEC2Image").
func (a Architecture) debian13() string {
	cpu := "arm64"
	if a == X86_64 {
		cpu = "amd64"
	}
	return "/aws/service/debian/release/13/latest/" + cpu
}

// lambda is the architecture in Lambda's words, which are the same.
func (a Architecture) lambda() awslambda.Architecture {
	if a == X86_64 {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}
