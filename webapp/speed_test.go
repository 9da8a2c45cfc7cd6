package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"drawbridge/internal/bigtable"
	"drawbridge/internal/mysqltest"
	"drawbridge/internal/sampledata"
)

// BenchmarkPages asks for pages of a real database, on all processors, without a network between: it is for profiles.
// `make profile` runs it, `make bench-webapp` compares the program with others.
func BenchmarkPages(b *testing.B) {
	server := mysqltest.Shared(b)
	schema := server.NewSchema(b)
	if _, err := sampledata.Load(b.Context(), server.Root(b), schema); err != nil {
		b.Fatal(err)
	}
	if err := bigtable.Load(b.Context(), server.Root(b), schema, 10_000); err != nil {
		b.Fatal(err)
	}
	handler := newSite(b, server, schema).Config.Handler
	for _, page := range []struct{ name, path string }{
		{"overview", "/"},
		{"table", "/tables/readings"},
		{"row", "/tables/readings/rows/5000"},
		{"JSON", "/tables/readings.json?rows=page"},
	} {
		b.Run(page.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					w := httptest.NewRecorder()
					w.Body = nil
					handler.ServeHTTP(discarding{w}, httptest.NewRequest(http.MethodGet, page.path, nil))
					if w.Code != http.StatusOK {
						b.Errorf("%s: status %d", page.path, w.Code)
						return
					}
				}
			})
		})
	}
}

// discarding takes an answer and keeps its header only.
type discarding struct{ *httptest.ResponseRecorder }

func (d discarding) Write(p []byte) (int, error) {
	d.WriteHeader(http.StatusOK)
	return io.Discard.Write(p)
}
