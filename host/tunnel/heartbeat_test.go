package tunnel

import (
	"context"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"drawbridge/host/install"
	"drawbridge/host/install/installtest"
)

type metrics struct {
	calls []*cloudwatch.PutMetricDataInput
	err   error
}

func (m *metrics) PutMetricData(_ context.Context, in *cloudwatch.PutMetricDataInput, _ ...func(*cloudwatch.Options)) (
	*cloudwatch.PutMetricDataOutput, error) {
	m.calls = append(m.calls, in)
	return nil, m.err
}

// socket makes something at the place of a tunnel's control socket.
func socket(t *testing.T, h *installtest.Recorder, name string, age time.Duration) {
	t.Helper()
	path := onHost.socket(name)
	h.File(t, path, "")
	when := time.Now().Add(-age)
	if err := os.Chtimes(h.Path(path), when, when); err != nil {
		t.Fatal(err)
	}
}

func TestOneCallTellsWhichTunnelsAreUp(t *testing.T) {
	h, s := installtest.New(t, install.Debian), sample()
	for _, name := range []string{"stale", "down"} {
		other := s.Tunnel.Tunnels[0]
		other.Name = name
		s.Tunnel.Tunnels = append(s.Tunnel.Tunnels, other)
	}
	socket(t, h, "bi", time.Hour)
	socket(t, h, "stale", time.Hour)
	h.Answer = func(command string) (string, error) {
		if command == "ssh -F none -S "+h.Path("/run/drawbridge-tunnel/bi/control")+" -O check bi" {
			return "", nil
		}
		return "", errors.New("ssh failed: Control socket connect: Connection refused")
	}
	var m metrics
	if err := heartbeat(t.Context(), h.Host, s, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.calls) != 1 || aws.ToString(m.calls[0].Namespace) != "Drawbridge" {
		t.Fatalf("calls: %+v", m.calls)
	}
	got := map[string]float64{}
	for _, datum := range m.calls[0].MetricData {
		dimensions := map[string]string{}
		for _, d := range datum.Dimensions {
			dimensions[*d.Name] = *d.Value
		}
		if *datum.MetricName != "TunnelUp" || dimensions["Environment"] != "dev" || len(dimensions) != 2 ||
			time.Since(*datum.Timestamp) > time.Minute {
			t.Errorf("datum %+v with %v", datum, dimensions)
		}
		got[dimensions["Tunnel"]] = *datum.Value
	}
	if want := map[string]float64{"bi": 1, "stale": 0, "down": 0}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if said := h.Said(); !strings.Contains(said, "stale is down") || !strings.Contains(said, "tunnel-test down") || strings.Contains(said, "bi") {
		t.Errorf("it says:\n%s", said)
	}
}

func TestASocketIsAskedOnlyWhenSshHadTimeToFail(t *testing.T) {
	h, s := installtest.New(t, install.Debian), sample()
	socket(t, h, "bi", settled-500*time.Millisecond)
	h.Answer = func(string) (string, error) {
		info, err := os.Stat(h.Path(onHost.socket("bi")))
		if err != nil {
			return "", err
		}
		if age := time.Since(info.ModTime()); age < settled {
			t.Errorf("it is asked at the age of %s", age)
		}
		return "", errors.New("gone")
	}
	var m metrics
	if err := heartbeat(t.Context(), h.Host, s, &m); err != nil || *m.calls[0].MetricData[0].Value != 0 || h.Ran("-O check") != 1 {
		t.Errorf("got %v, commands:\n%s", err, h.Commands())
	}
}

func TestAHeartbeatThatIsNotTakenIsAnError(t *testing.T) {
	h := installtest.New(t, install.Debian)
	err := heartbeat(t.Context(), h.Host, sample(), &metrics{err: errors.New("AccessDenied")})
	if err == nil || !strings.Contains(err.Error(), "TunnelUp") || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("got the error %v", err)
	}
}

func TestAHostWithoutTunnelsTellsNothing(t *testing.T) {
	h, s, m := installtest.New(t, install.Debian), sample(), &metrics{}
	s.Tunnel.Tunnels = nil
	if err := heartbeat(t.Context(), h.Host, s, m); err != nil || len(m.calls) > 0 {
		t.Errorf("got %v after %d calls", err, len(m.calls))
	}
}
