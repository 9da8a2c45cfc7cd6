package s3

import (
	"io/fs"
	"sync"

	"drawbridge/rehearsal/awsapi"
)

// Server is an S3. It is an [net/http.Handler], to be served by an [awsapi.Address] or [awsapi.Endpoint]. A call's
// Resource is BUCKET/KEY.
type Server struct {
	*awsapi.Service

	mu      sync.Mutex
	buckets map[string]fs.FS
}

// New makes an S3 without buckets.
func New(options awsapi.Options) *Server {
	s := &Server{buckets: map[string]fs.FS{}}
	s.Service = awsapi.NewService("s3", options, protocol{s})
	return s
}

// SetBucket makes a bucket, or gives it other objects: the files of a folder (os.DirFS) or of a map (fstest.MapFS), by
// their keys.
func (s *Server) SetBucket(name string, objects fs.FS) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[name] = objects
}

func (s *Server) bucket(name string) fs.FS {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buckets[name]
}
