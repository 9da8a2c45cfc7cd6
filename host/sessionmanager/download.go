package sessionmanager

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Bounds on what is downloaded, in bytes. The package has about 25 MB.
const (
	mostOfPackage   = 200 << 20
	mostOfSignature = 64 << 10
)

// download writes what url gives to file, at most so many bytes. It tries again when the server or the network fails.
func (a *Agent) download(ctx context.Context, url, file string, most int64) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = time.Second, 10*time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, a.get(ctx, url, file, most) },
		backoff.WithBackOff(pause), backoff.WithMaxTries(a.tries))
	if err != nil {
		return fmt.Errorf("%s cannot be downloaded: %w", url, err)
	}
	return nil
}

func (a *Agent) get(ctx context.Context, url, file string, most int64) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return backoff.Permanent(err)
	}
	answer, err := a.client.Do(request)
	if err != nil {
		return errors.Unwrap(err) // a *url.Error, which would say the URL again
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		err := fmt.Errorf("the server answers %s", answer.Status)
		if answer.StatusCode < 500 && answer.StatusCode != http.StatusTooManyRequests {
			return backoff.Permanent(err)
		}
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return backoff.Permanent(err)
	}
	n, err := io.Copy(f, io.LimitReader(answer.Body, most+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if n > most {
		return backoff.Permanent(fmt.Errorf("it has more than %d bytes", most))
	}
	return nil
}
