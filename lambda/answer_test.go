package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/go-retryablehttp"
)

func TestAnswerIsTriedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		refuse func(attempt int) int
		tries  int
	}{
		"the first time works":            {nil, 1},
		"after a fault of the receiver's": {func(n int) int { return map[int]int{1: 503}[n] }, 2},
		"after three faults":              {func(n int) int { return map[int]int{1: 500, 2: 503, 3: 429}[n] }, 4},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.refuse = test.refuse
			if err := r.invoke(r.event("Create", "Custom::FlipGate", map[string]any{"Exposure": "private", "Users": []any{}})); err != nil {
				t.Fatal(err)
			}
			if len(r.bodies) != test.tries {
				t.Errorf("tried %d times, want %d", len(r.bodies), test.tries)
			}
			for _, body := range r.bodies {
				if body != r.bodies[0] {
					t.Errorf("tried with another body: %s", body)
				}
			}
		})
	}
}

func TestAnswerThatCannotBeGivenFailsTheInvocation(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	untrusted.Config.ErrorLog = nil
	const signed = "/answer?" + signature
	for name, test := range map[string]struct {
		url    string // "" means the bucket's
		refuse int
		want   string
		tries  int
	}{
		"the receiver always has a fault":       {"", 503, "invalid status code. got: 503", 4},
		"the URL has expired":                   {"", 403, "invalid status code. got: 403", 1},
		"nobody listens":                        {"http://" + nobody.Addr().String() + signed, 0, "connection refused", 0},
		"the host is unknown":                   {"http://bucket.invalid" + signed, 0, "the host name bucket.invalid could not be looked up", 0},
		"the certificate is not one of AWS's":   {untrusted.URL + signed, 0, "the receiver's certificate is not valid", 0},
		"the URL is none":                       {"http://bucket.invalid:no-port" + signed, 0, "its ResponseURL is not a URL", 0},
		"the URL has another scheme":            {"gopher://bucket.invalid" + signed, 0, "the request failed", 0},
		"there is no URL":                       {"-", 0, "the request failed", 0},
		"the URL has a character that is wrong": {"http://bucket.invalid" + signed + "\x7f", 0, "its ResponseURL is not a URL", 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.refuse = func(int) int { return test.refuse }
			event := r.event("Create", "Custom::FlipGate", map[string]any{"Exposure": "private", "Users": []any{}})
			if test.url != "" {
				event["ResponseURL"] = strings.TrimPrefix(test.url, "-")
			}
			err := r.invoke(event)
			want := "the answer could not be given to CloudFormation (" + test.want + "): check that the function's subnet reaches S3"
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if len(r.bodies) != test.tries {
				t.Errorf("tried %d times, want %d", len(r.bodies), test.tries)
			}
			if !strings.Contains(r.log(), "CloudFormation was not answered") {
				t.Errorf("the log does not say so: %s", r.log())
			}
		})
	}
}

func TestAnswerClientLogsNothing(t *testing.T) {
	// Its own logger would write the URL to the process's standard error, past every other one.
	if logger := answerClient(patience).Transport.(*retryablehttp.RoundTripper).Client.Logger; logger != nil {
		t.Errorf("it logs to a %T", logger)
	}
}

func TestSilentReceiverFailsTheInvocationInTime(t *testing.T) {
	r := newRig(t)
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer silent.Close()
	defer close(release)
	times := patience
	times.attempt, times.all, times.firstWait = 50e6, 300e6, 1e6
	http.DefaultClient = answerClient(times)
	r.f = newFunction("", "", nil)
	event := r.event("Create", "Custom::FlipGate", map[string]any{"Exposure": "private", "Users": []any{}}, "ResponseURL", silent.URL+"/?"+signature)
	if err := r.invoke(event); err == nil || !strings.Contains(err.Error(), "(nobody took it in time)") {
		t.Errorf("got %v", err)
	}
}

func TestReasonFitsIntoTheAnswer(t *testing.T) {
	for name, text := range map[string]string{
		"ASCII":                       strings.Repeat("x", 5000),
		"several bytes a character":   strings.Repeat("grün €𝄞", 1000),
		"what JSON writes as \\u003c": strings.Repeat("<&>", 3000),
		"quotes":                      strings.Repeat(`"\`, 3000),
		"line separators":             strings.Repeat("\u2028", 3000),
		"control characters":          strings.Repeat("\x00\n\x1b", 3000),
		"bytes that are no text":      strings.Repeat("\xff\xc3", 3000),
	} {
		t.Run(name, func(t *testing.T) {
			got := bounded(text)
			encoded, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(encoded) - 2; n > reasonBytes || n < reasonBytes-20 {
				t.Errorf("%d bytes in JSON, want about %d: %.80s", n, reasonBytes, got)
			}
			if !utf8.ValidString(got) || strings.ContainsAny(got, "\n\x00") || !strings.HasSuffix(got, "…") {
				t.Errorf("not one line that was cut between characters: %.80q", got)
			}
		})
	}
	for _, text := range []string{"", "short", strings.Repeat("ü", 500), strings.Repeat("x", 1000)} {
		if bounded(text) != text {
			t.Errorf("a text of %d bytes was changed", len(text))
		}
	}
}

func TestLongReasonIsAnsweredInPart(t *testing.T) {
	r := newRig(t)
	properties := map[string]any{}
	for i := range 300 {
		properties[fmt.Sprintf("<größe & %d 𝄞>", i)] = "x"
	}
	made := r.create("Custom::SampleData", properties) // request looks at the answer's size
	r.failed(made, "not-created:5c7cf1a9-1111", "the resource's properties are wrong: Schema is missing")
	if !strings.HasSuffix(made.Reason, "…") || len(made.Reason) < 500 {
		t.Errorf("the reason is %q", made.Reason)
	}
}

// FuzzBounded looks for a text that takes more room in JSON than it may, or is cut inside a character.
func FuzzBounded(f *testing.F) {
	for _, text := range []string{"", "a\nb", strings.Repeat("€<", 700), "\xff\xfe", strings.Repeat("\u2029\"", 400)} {
		f.Add(text, 1000)
	}
	f.Fuzz(func(t *testing.T, text string, size int) {
		size = 3 + int(uint(size)%1000)
		got := cut(text, size)
		encoded, _ := json.Marshal(got)
		if len(encoded)-2 > size {
			t.Errorf("%d bytes in JSON, want at most %d: %q", len(encoded)-2, size, got)
		}
		if !utf8.ValidString(got) {
			t.Errorf("not text: %q", got)
		}
	})
}
