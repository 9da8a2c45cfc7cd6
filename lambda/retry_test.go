package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/sampledata"
)

func fileError() error {
	_, err := os.ReadFile("/nowhere/ca.pem")
	return err
}

func TestTransientErrors(t *testing.T) {
	_, useless := mysqldb.ParseSecret("arn", aws.String("{}"))
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"a throttled call":                         {apiError("ThrottlingException"), true},
		"a fault of Secrets Manager's":             {apiError("InternalServiceError"), true},
		"a typed fault of Secrets Manager's":       {&types.InternalServiceError{}, true},
		"a policy that is not everywhere yet":      {apiError("AccessDeniedException"), true},
		"a call that was overtaken":                {&types.ResourceExistsException{}, true},
		"a call that is wrong":                     {apiError("ValidationException"), false},
		"a secret that is not there":               {&types.ResourceNotFoundException{}, false},
		"a secret that is being deleted":           {&types.InvalidRequestException{}, false},
		"a secret that cannot be decrypted":        {&types.DecryptionFailure{}, false},
		"a secret that is of no use":               {useless, false},
		"Secrets Manager out of reach":             {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		"time that ran out":                        {context.DeadlineExceeded, true},
		"a broken connection":                      {mysql.ErrInvalidConn, true},
		"a server that is going down":              {&mysql.MySQLError{Number: 1053}, true},
		"a server with too many connections":       {&mysql.MySQLError{Number: 1040}, true},
		"a lock that was not given":                {&mysql.MySQLError{Number: 1205}, true},
		"a deadlock":                               {&mysql.MySQLError{Number: 1213}, true},
		"a host name that is not known (yet)":      {&net.DNSError{IsNotFound: true}, true},
		"a wrong password":                         {&mysql.MySQLError{Number: 1045}, false},
		"a statement that MySQL does not like":     {&mysql.MySQLError{Number: 1064}, false},
		"a right that the user lacks":              {&mysql.MySQLError{Number: 1142}, false},
		"sample data that somebody else loads":     {sampledata.ErrBusy, true},
		"a schema that is not there":               {sampledata.ErrNoSchema, false},
		"a file that is not there":                 {fileError(), false},
		"an error of our own":                      {errors.New("no"), false},
		"a certificate that is not to be trusted":  {mysql.ErrNoTLS, false},
		"an environment without the master secret": {errNoHost, false},
	} {
		for _, err := range []error{test.err, fmt.Errorf("while doing something: %w", test.err)} {
			if got := transient(err); got != test.want {
				t.Errorf("%s: transient is %v, want %v", name, got, test.want)
			}
		}
	}
}

func TestRetry(t *testing.T) {
	busy := &mysql.MySQLError{Number: 1205, Message: "busy"}
	limited := func(limit time.Duration) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		t.Cleanup(cancel)
		return ctx
	}
	t.Run("goes on until it works", func(t *testing.T) {
		tries := 0
		err := retry(limited(time.Minute), func() error {
			if tries++; tries < 3 {
				return busy
			}
			return nil
		})
		if err != nil || tries != 3 {
			t.Errorf("%d tries, %v", tries, err)
		}
	})
	t.Run("ends at once for what time does not mend", func(t *testing.T) {
		tries, final := 0, errors.New("no such thing")
		err := retry(limited(time.Minute), func() error {
			if tries++; tries < 2 {
				return busy
			}
			return fmt.Errorf("looking: %w", final)
		})
		if tries != 2 || !errors.Is(err, final) || err.Error() != "looking: no such thing" {
			t.Errorf("%d tries, %v", tries, err)
		}
	})
	t.Run("says what failed last, and for how long", func(t *testing.T) {
		tries := 0
		err := retry(limited(400*time.Millisecond), func() error {
			tries++
			return fmt.Errorf("try: %w", busy)
		})
		if tries < 2 || !errors.Is(err, busy) || !strings.HasSuffix(err.Error(), "busy (tried for 1s)") {
			t.Errorf("%d tries, %v", tries, err)
		}
	})
	t.Run("says what failed before time ran out in the middle of a try", func(t *testing.T) {
		ctx, tries := limited(300*time.Millisecond), 0
		err := retry(ctx, func() error {
			if tries++; tries == 1 {
				return busy
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, busy) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("tries once when time is up", func(t *testing.T) {
		tries := 0
		err := retry(limited(0), func() error { tries++; return context.DeadlineExceeded })
		if tries != 1 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d tries, %v", tries, err)
		}
	})
}
