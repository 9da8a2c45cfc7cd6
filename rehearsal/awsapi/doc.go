// Package awsapi is what the AWS services of the rehearsal have in common: temporary credentials of roles, requests that
// are signed with them (AWS Signature Version 4), the policies of those roles, planted faults, a record of the calls, and
// one address for several services.
package awsapi
