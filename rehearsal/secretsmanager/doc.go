// Package secretsmanager is AWS Secrets Manager on loopback, as far as this project's programs use it: GetSecretValue,
// DescribeSecret, PutSecretValue and UpdateSecretVersionStage, with versions and staging labels as the AWS Secrets
// Manager API Reference describes them, and rotation by a Lambda function.
//
// Requests must be signed with credentials that [Server.Credentials] gave, and be allowed by the policies of that role,
// of the secret, and of the VPC endpoint that they came through. Faults can be planted.
package secretsmanager
