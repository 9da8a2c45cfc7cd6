package machine

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// mostCached is how many bytes a cache holds: what a few hosts install, several times over.
const mostCached = 1 << 30

// aptCache keeps files of an archive that never change under their name, each as a file named by the hash of its address.
type aptCache struct {
	folder string
	most   int64 // bytes
}

func (c *aptCache) file(r *http.Request) string {
	hash := sha256.Sum256([]byte(r.URL.String()))
	return filepath.Join(c.folder, hex.EncodeToString(hash[:]))
}

// constant says that an archive's file never changes: a package, whose name holds its version, or a list by its hash.
func constant(path string) bool {
	return strings.HasSuffix(path, ".deb") || strings.Contains(path, "/by-hash/")
}

// serve answers from the cache, where that holds the answer.
func (c *aptCache) serve(w http.ResponseWriter, r *http.Request) bool {
	if !constant(r.URL.Path) {
		return false
	}
	f, err := os.Open(c.file(r))
	if err != nil {
		return false
	}
	defer f.Close()                                   //nolint:errcheck // only read
	_ = os.Chtimes(f.Name(), time.Time{}, time.Now()) // for prune; another process may have removed the file
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, f)
	return true
}

// keep returns where the body of an answer is to be written to as well; nil where it is not to be kept.
func (c *aptCache) keep(r *http.Request, response *http.Response) *kept {
	if !constant(r.URL.Path) || r.Method != http.MethodGet || response.StatusCode != http.StatusOK ||
		response.ContentLength <= 0 || response.ContentLength > c.most {
		return nil
	}
	// A cache that cannot be written to is only slow.
	if err := os.MkdirAll(c.folder, 0o755); err != nil {
		return nil
	}
	f, err := os.CreateTemp(c.folder, "partial-*")
	if err != nil {
		return nil
	}
	return &kept{cache: c, file: f, name: c.file(r), left: response.ContentLength}
}

// kept is a file on its way into the cache. It is there when its last byte has been written, before the client has that.
type kept struct {
	cache *aptCache
	file  *os.File
	name  string
	left  int64
	err   error
}

// Write never fails: the client's copy goes on without the cache's.
func (k *kept) Write(b []byte) (int, error) {
	if k.err == nil {
		var n int
		n, k.err = k.file.Write(b)
		if k.left -= int64(n); k.err == nil && k.left == 0 {
			k.err = os.Rename(k.file.Name(), k.name)
			k.cache.prune()
		}
	}
	return len(b), nil
}

// end removes what has not become whole.
func (k *kept) end() {
	_ = k.file.Close() // the cache is not made to outlast a crash of this machine
	if k.left > 0 || k.err != nil {
		_ = os.Remove(k.file.Name())
	}
}

// prune removes what was used longest ago until the cache holds no more than it may, and what killed processes left.
func (c *aptCache) prune() {
	entries, err := os.ReadDir(c.folder)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	var total int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // another process has removed it
		}
		if strings.HasPrefix(e.Name(), "partial-") {
			if time.Since(info.ModTime()) > time.Hour {
				_ = os.Remove(filepath.Join(c.folder, e.Name()))
			}
			continue
		}
		files, total = append(files, info), total+info.Size()
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return cmp.Compare(a.ModTime().UnixNano(), b.ModTime().UnixNano()) })
	for _, f := range files {
		if total <= c.most {
			return
		}
		if os.Remove(filepath.Join(c.folder, f.Name())) == nil {
			total -= f.Size()
		}
	}
}
