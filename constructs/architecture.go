package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
)

// Architecture is a processor architecture, in the words of EC2's API.
type Architecture string

const (
	ARM64  Architecture = "arm64"
	X86_64 Architecture = "x86_64"
)

// amazonLinux2023 is the newest Amazon Linux 2023 AMI at the time of each deployment.
func (a Architecture) amazonLinux2023() awsec2.IMachineImage {
	cpu := awsec2.AmazonLinuxCpuType_ARM_64
	if a == X86_64 {
		cpu = awsec2.AmazonLinuxCpuType_X86_64
	}
	return awsec2.MachineImage_LatestAmazonLinux2023(&awsec2.AmazonLinux2023ImageSsmParameterProps{CpuType: cpu})
}

// debian13 is the newest Debian 13 AMI at the time of each deployment, from the public parameters that Debian's cloud
// team keeps in Systems Manager (Debian wiki, "Cloud/AmazonEC2Image").
func (a Architecture) debian13() awsec2.IMachineImage {
	cpu := "arm64"
	if a == X86_64 {
		cpu = "amd64"
	}
	parameter := "/aws/service/debian/release/13/latest/" + cpu
	return awsec2.MachineImage_FromSsmParameter(&parameter, &awsec2.SsmParameterImageOptions{Os: awsec2.OperatingSystemType_LINUX})
}

// lambda is the architecture in Lambda's words, which are the same.
func (a Architecture) lambda() awslambda.Architecture {
	if a == X86_64 {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}
