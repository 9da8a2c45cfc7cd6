package constructs_test

import (
	"slices"
	"testing"
)

func TestAccessLogs(t *testing.T) {
	made, _ := webApp(t, loadBalanced)
	bucket := made.One(t, "AWS::S3::Bucket")
	t.Run("are kept for 90 days, encrypted, in a bucket that nobody can make public", func(t *testing.T) {
		check(t, bucket.Properties, map[string]any{
			"BucketEncryption":               map[string]any{"ServerSideEncryptionConfiguration": []any{map[string]any{"ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "AES256"}}}},
			"PublicAccessBlockConfiguration": map[string]any{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
			"OwnershipControls":              map[string]any{"Rules": []any{map[string]any{"ObjectOwnership": "BucketOwnerEnforced"}}},
			"LifecycleConfiguration": map[string]any{"Rules": []any{map[string]any{
				"Id": "Expire", "Status": "Enabled", "ExpirationInDays": 90, "AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 1},
			}}},
		})
	})
	t.Run("stay when the stack goes, as CloudFormation deletes no bucket that holds something", func(t *testing.T) {
		check(t, bucket.All, map[string]any{"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"})
	})
	t.Run("are written by this account's load balancers of this region alone, over TLS", func(t *testing.T) {
		at := "${" + bucket.ID + ".Arn}"
		policy := made.One(t, "AWS::S3::BucketPolicy")
		checkStatements(t, policy.Properties["PolicyDocument"],
			`Deny s3:* on `+at+` `+at+`/* Principal {"AWS":"*"} Condition {"Bool":{"aws:SecureTransport":"false"}}`,
			`Allow s3:PutObject on `+at+`/load-balancer/AWSLogs/${AWS::AccountId}/* Principal {"Service":"logdelivery.elasticloadbalancing.amazonaws.com"}`+
				` Condition {"ArnLike":{"aws:SourceArn":"arn:${AWS::Partition}:elasticloadbalancing:${AWS::Region}:${AWS::AccountId}:loadbalancer/*"}}`)
		if waits := listed(made.One(t, "AWS::ElasticBeanstalk::Environment").All["DependsOn"]); !slices.Contains(waits, policy.ID) {
			t.Errorf("the environment waits for %q, not for that policy", waits)
		}
	})
	t.Run("are those of a load balancer", func(t *testing.T) {
		single, _ := webApp(t, nil)
		if buckets := single.Resources("AWS::S3::Bucket"); len(buckets) != 0 {
			t.Errorf("a single instance has %s", buckets[0].ID)
		}
	})
}
