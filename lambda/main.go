// Command lambda is the Lambda function behind Drawbridge's custom resources: read-only MySQL users, the gate before the
// database goes private, sample data and SSH key pairs. It also rotates the users' passwords for Secrets Manager.
//
// Its environment: DRAWBRIDGE_MASTER_SECRET_ARN names the master user's secret, DRAWBRIDGE_DB_CA_FILE, where set, one more
// certificate authority; the AWS SDK reads its own variables.
package main

import (
	"log/slog"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	// The log package, which aws-lambda-go uses, goes the same way.
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	// cfn.LambdaWrap answers CloudFormation through it.
	http.DefaultClient = answerClient(patience)
	f := newFunction(os.Getenv("DRAWBRIDGE_MASTER_SECRET_ARN"), os.Getenv("DRAWBRIDGE_DB_CA_FILE"), awsSecretsManager)
	lambda.Start(f.invoke)
}
