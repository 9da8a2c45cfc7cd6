package s3

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"drawbridge/rehearsal/awsapi"
)

// open reads an object. An error is that it is not there.
func (s *Server) open(r *awsapi.Request, bucket, key string) (awsapi.Answer, error) {
	objects := s.bucket(bucket)
	if objects == nil {
		return nil, &awsapi.Error{Code: "NoSuchBucket", Message: "The specified bucket does not exist", Status: http.StatusNotFound}
	}
	content, err := fs.ReadFile(objects, key)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, &awsapi.Error{Code: "NoSuchKey", Message: "The specified key does not exist.", Status: http.StatusNotFound}
	}
	if err != nil {
		return nil, err
	}
	changed := time.Now() // every object of S3 has such a time; the AWS CLI fails without
	if info, err := fs.Stat(objects, key); err == nil && !info.ModTime().IsZero() {
		changed = info.ModTime()
	}
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "binary/octet-stream")
		// S3's own ETag of an object that was put in one part and is not encrypted with KMS.
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, md5.Sum(content)))
		http.ServeContent(w, r.Request, "", changed, bytes.NewReader(content))
	}, nil
}
