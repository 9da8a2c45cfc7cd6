package beanstalk

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/lockedbuffer"
)

func TestTheProgramHasTheVariablesOfItsEnvironmentAlone(t *testing.T) {
	t.Setenv("AWS_PROFILE", "of this machine")
	got, err := environment("/home", 5000, map[string]string{"RDS_PORT": "3306", "A": "property", "HOME": "/x"}, map[string]string{"A": "extra", "B": ""})
	want := []string{
		"A=extra", "B=", "HOME=/x", "LANG=C.UTF-8", "LOGNAME=webapp", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"PORT=5000", "RDS_PORT=3306", "SHELL=/bin/sh", "USER=webapp",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	for _, properties := range []map[string]string{{"": "x"}, {"A=B": "x"}, {"1A": "x"}, {"A B": "x"}, {"A": "x\x00"}} {
		if got, err := environment("/home", 5000, properties, nil); err == nil {
			t.Errorf("%q is taken: %q", properties, got)
		}
	}
}

func TestThePortIsThePropertysOr5000(t *testing.T) {
	for text, want := range map[string]int{"8080": 8080, "": 0, "0": 0, "65536": 0, "http": 0} {
		if got, err := programPort(map[string]string{"PORT": text}); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	if got, err := programPort(nil); got != 5000 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
}

func TestTheSixthStartWithinTenSecondsIsRefused(t *testing.T) {
	var s starts
	at := time.Now()
	for n := range 5 {
		if !s.allow(at.Add(time.Duration(n) * time.Second)) {
			t.Errorf("start %d is refused", n+1)
		}
	}
	if s.allow(at.Add(9 * time.Second)) {
		t.Error("the sixth start is not refused")
	}
	if !s.allow(at.Add(10 * time.Second)) {
		t.Error("a start after ten seconds is refused")
	}
}

func TestATargetsHealthChangesAfterSeveralChecks(t *testing.T) {
	for name, tc := range map[string]struct{ checks, want string }{
		"the first decides":                    {"+", "+"},
		"also for the worse":                   {"-", "-"},
		"four failures are not enough":         {"+----+", "++++++"},
		"the fifth is":                         {"+-----", "+++++-"},
		"a success between starts a new count": {"+----+----", "++++++++++"},
		"two successes are not enough":         {"-++-", "----"},
		"the third is":                         {"-+++", "---+"},
	} {
		t.Run(name, func(t *testing.T) {
			var h health
			got := ""
			for _, c := range tc.checks {
				before := h
				if changed := h.observe(c == '+'); changed != (before.healthy != h.healthy || !before.known) {
					t.Errorf("it says changed: %v", changed)
				}
				got += map[bool]string{true: "+", false: "-"}[h.healthy]
			}
			if got != tc.want {
				t.Errorf("%s: %s, want %s", tc.checks, got, tc.want)
			}
		})
	}
}

func TestUnhealthyTargetsGetNothingUnlessAllAre(t *testing.T) {
	one, two := netip.MustParseAddr("10.0.0.10"), netip.MustParseAddr("10.0.1.10")
	for name, tc := range map[string]struct {
		targets, down []netip.Addr
		want          []string
	}{
		"all healthy":   {[]netip.Addr{one, two}, nil, []string{"server 10.0.0.10:80 ", "server 10.0.1.10:80 "}},
		"one unhealthy": {[]netip.Addr{one, two}, []netip.Addr{one}, []string{"server 10.0.1.10:80 "}},
		"all unhealthy": {[]netip.Addr{one, two}, []netip.Addr{one, two}, []string{"server 10.0.0.10:80 ", "server 10.0.1.10:80 "}},
		"none":          {nil, nil, []string{"return 503;"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := balancerConfig(listeners{http: true}, tc.targets, func(a netip.Addr) bool { return slices.Contains(tc.down, a) })
			for _, part := range []string{"server 10.0.0.10:80 ", "server 10.0.1.10:80 ", "return 503;"} {
				if strings.Contains(config, part) != slices.Contains(tc.want, part) {
					t.Errorf("it holds %q: %v", part, !slices.Contains(tc.want, part))
				}
			}
		})
	}
}

func TestTheLogHasWholeLinesWithTheProgramsName(t *testing.T) {
	var b lockedbuffer.Buffer
	l := &logger{name: "web", to: &b}
	for _, part := range []string{"on", "e\ntwo\nthr", "ee", "\n", "unfinished"} {
		if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
			t.Error(n, err)
		}
	}
	l.printf("the program ended with %s", "exit status 1")
	if got, want := b.String(), "web: one\nweb: two\nweb: three\nweb: the program ended with exit status 1\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := l.tail(); got != ": one | two | three | the program ended with exit status 1" {
		t.Error(got)
	}
	quiet := &logger{}
	for range 10 {
		quiet.printf("x")
	}
	if got := quiet.tail(); got != ": x | x | x | x | x" {
		t.Error(got)
	}
	if got := (&logger{}).tail(); got != "" {
		t.Error(got)
	}
}
