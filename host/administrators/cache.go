package administrators

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"drawbridge/host/bastion/sshd"
	"drawbridge/host/install"
	"drawbridge/internal/strictjson"
)

// CacheFile holds the people as they were last fetched. root writes it, and sshd.KeysUser reads it. It lies in memory: people
// with a shell can fill the disk, and must not be able to keep it from changing.
const CacheFile = "/run/drawbridge/administrators.json"

// keptFile is a copy for the time after a reboot, until CacheFile is there again.
const keptFile = "/var/lib/drawbridge/administrators.json"

// Between these ages the cache is believed. A clock that was set back makes it come from the future.
const (
	oldest   = 15 * time.Minute
	youngest = -time.Minute
)

// cache is the content of CacheFile.
type cache struct {
	Fetched time.Time `json:"fetched"` // when Parameter Store was asked
	People  []person  `json:"people"`

	// Ending names people who may log in, but whose sessions, which began with rights that they no longer have, are still
	// to be ended. It outlives a run that is cut short.
	Ending []string `json:"ending,omitempty"`

	// Problems is what was wrong, so that it is logged when it changes and not three times a minute.
	Problems []string `json:"problems,omitempty"`
}

// parseCache reads the text of a cache, in which nothing may be out of order.
func parseCache(text []byte) (*cache, error) {
	c := &cache{}
	if err := strictjson.Decode(text, c); errors.Is(err, strictjson.ErrMore) {
		return nil, err
	} else if err != nil {
		return nil, errors.New("it is not the JSON that this program writes")
	}
	seen := map[string]bool{}
	for _, p := range c.People {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("a person is wrong: %w", err)
		}
		if seen[p.Name] {
			return nil, errors.New("a person stands there twice")
		}
		seen[p.Name] = true
	}
	return c, nil
}

// person finds somebody by name.
func (c *cache) person(name string) (person, bool) {
	for _, p := range c.People {
		if p.Name == name {
			return p, true
		}
	}
	return person{}, false
}

// unbelievable says, as a clause, why the cache is not to be believed at that time, or "".
func (c *cache) unbelievable(now time.Time) string {
	switch age := now.Sub(c.Fetched); {
	case age > oldest:
		return fmt.Sprintf("it was fetched at %s, more than %s ago", c.Fetched.UTC().Format(time.RFC3339), oldest)
	case age < youngest:
		return fmt.Sprintf("it was fetched at %s, which is in the future", c.Fetched.UTC().Format(time.RFC3339))
	}
	return ""
}

// writeCache replaces CacheFile as a whole.
func writeCache(h *install.Host, c *cache) error {
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	file := install.File{Path: CacheFile, Content: string(text) + "\n", Mode: 0o640, Group: sshd.KeysUser}
	if _, err := h.Write(file); err != nil {
		return err
	}
	file.Path = keptFile
	if _, err := h.Write(file); err != nil {
		// What is out of date there must not count again after a reboot.
		_, removeErr := h.Remove(keptFile)
		h.Say("The keys of the administrators would not outlive a reboot: %v", errors.Join(err, removeErr))
	}
	return nil
}

// readCache returns the text of the cache, or of its copy, and which file it is. The paths are below root.
func readCache(root string) (file string, text []byte, err error) {
	for _, file = range []string{CacheFile, keptFile} {
		if text, err = os.ReadFile(filepath.Join(root, file)); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return file, text, err
}
