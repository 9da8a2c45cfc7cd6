package lambda

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drawbridge/rehearsal/runtimeapi"
)

// invocationTimeout bounds every single measurement.
const invocationTimeout = 30 * time.Second

// subject is one of the functions that are compared, and what was measured of it.
type subject struct {
	name, runtime string
	zip           bytes
	bootstrap     string // the path of the program
	environment   map[string]string
	small         func() map[string]any     // an event for which a secret is read and the database is not
	create        func(user) map[string]any // an event that makes a user
	check         func(*testing.B)          // fails if the last event did

	first, cold, warm []duration
	memory            []bytes
}

// round starts the function twice, and adds what it measured if it counts.
func (s *subject) round(b *testing.B, w *world, counts bool) {
	b.Helper()
	first, _ := s.run(b, w, s.small())

	one, other := w.newUser(b), w.newUser(b)
	created, peak := s.run(b, w, s.create(one), s.create(other))
	w.reads(b, one)
	w.reads(b, other)
	if counts {
		s.first = append(s.first, first[0])
		s.cold = append(s.cold, created[0])
		s.warm = append(s.warm, created[1])
		s.memory = append(s.memory, peak)
	}
}

// run starts the function's process and hands it events, one after the other. It returns how long each took, the first
// from the start of the process, and the most memory that the process had resident until it had answered the first.
func (s *subject) run(b *testing.B, w *world, events ...map[string]any) (took []duration, peak bytes) {
	b.Helper()
	var log strings.Builder
	environment := map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": w.secrets.URL()}
	for name, value := range s.environment {
		environment[name] = value
	}
	function, err := runtimeapi.New(runtimeapi.Config{
		Name: "bench", ARN: "arn:aws:lambda:" + region + ":" + account + ":function:bench", Region: region,
		Bootstrap: s.bootstrap, Handler: "index.handler", MemoryMiB: 256,
		Environment: environment, Credentials: w.credentials, Timeout: invocationTimeout, Log: &log,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer function.Close() //nolint:errcheck // what it leaves is in a folder that is removed too
	for _, event := range events {
		text, err := json.Marshal(event)
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(b.Context(), 2*invocationTimeout)
		started := time.Now()
		_, err = function.Invoke(ctx, text)
		took = append(took, duration(time.Since(started)))
		cancel()
		if err != nil {
			b.Fatalf("%s failed: %v\n%s", s.name, err, log.String())
		}
		if peak == 0 {
			peak = bytes(function.MaxRSS())
		}
		s.check(b)
	}
	if peak == 0 {
		b.Fatalf("%s: how much memory its process has could not be read", s.name)
	}
	return took, peak
}

// launcher writes a program that becomes the command, and so takes the same time for all of them.
func launcher(b *testing.B, dir string, command ...string) string {
	b.Helper()
	script := "#!/bin/sh\nexec"
	for _, word := range command {
		script += " '" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	path := filepath.Join(dir, "bootstrap")
	if err := os.WriteFile(path, []byte(script+"\n"), 0o755); err != nil {
		b.Fatal(err)
	}
	return path
}

func sizeOf(b *testing.B, path string) bytes {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return bytes(info.Size())
}

// output is what a command prints, without the end of its line.
func output(b *testing.B, command string, args ...string) string {
	b.Helper()
	text, err := exec.Command(command, args...).Output()
	if err != nil {
		b.Fatalf("%s %s: %v", command, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(text))
}
