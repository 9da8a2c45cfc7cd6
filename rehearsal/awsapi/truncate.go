package awsapi

import (
	"bytes"
	"net/http"
	"strconv"
)

// truncated announces the whole of an answer, sends half of it, and closes the connection.
func truncated(write Answer) Answer {
	return func(w http.ResponseWriter) {
		whole := &recorder{ResponseWriter: w, status: http.StatusOK}
		write(whole)
		w.Header().Set("Content-Length", strconv.Itoa(whole.body.Len()))
		w.WriteHeader(whole.status)
		_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// recorder keeps what is written.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
