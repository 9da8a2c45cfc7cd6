// Package s3 is Amazon S3 on loopback, as far as `aws s3 cp s3://BUCKET/KEY FILE` uses it: HeadObject and GetObject
// (Amazon S3 API Reference), whole or in ranges, with the bucket in the path or in the host name.
//
// Requests must be signed, and be allowed by the policies of the role that signed them. Faults can be planted.
package s3
