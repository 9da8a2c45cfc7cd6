package constructs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

const (
	// AccessLogsPrefix is what the names of the load balancer's access logs start with in their bucket.
	AccessLogsPrefix = "load-balancer"

	// accessLogDays is how long they are kept: as long as the logs of the Lambda function.
	accessLogDays = 90
)

// addAccessLogs has the load balancer write who asked for what into a bucket of its own ("Enable access logs for your
// Application Load Balancer", Elastic Load Balancing User Guide, which also says that the bucket must be encrypted with
// keys of S3's own).
func (w *WebApp) addAccessLogs(s optionSettings) {
	stack := awscdk.Stack_Of(w.Construct)
	w.AccessLogs = awss3.NewBucket(w.Construct, jsii.String("AccessLogs"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Id: jsii.String("Expire"), Expiration: awscdk.Duration_Days(jsii.Number(accessLogDays)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
		// CloudFormation deletes no bucket with objects in it, and who visited is to be known when the site is gone.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	accept(w.AccessLogs, "It holds access logs itself; those of reading them would be the next bucket's", "AwsSolutions-S1")
	w.AccessLogs.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("LoadBalancersOfThisAccount"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("logdelivery.elasticloadbalancing.amazonaws.com"), nil)},
		Actions:    jsii.Strings("s3:PutObject"),
		Resources:  &[]*string{w.AccessLogs.ArnForObjects(jsii.String(AccessLogsPrefix + "/AWSLogs/" + *stack.Account() + "/*"))},
		Conditions: &map[string]any{"ArnLike": map[string]any{"aws:SourceArn": stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("elasticloadbalancing"), Resource: jsii.String("loadbalancer"), ResourceName: jsii.String("*"),
		})}},
	}))
	s.set("aws:elbv2:loadbalancer", "AccessLogsS3Enabled", "true")
	s.set("aws:elbv2:loadbalancer", "AccessLogsS3Bucket", *w.AccessLogs.BucketName())
	s.set("aws:elbv2:loadbalancer", "AccessLogsS3Prefix", AccessLogsPrefix)
}
