package tunnel

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"golang.org/x/sync/errgroup"

	"drawbridge/host/install"
	"drawbridge/host/settings"
)

const (
	// metric is 1 for a tunnel that is up and 0 for one that is not.
	metric = "TunnelUp"

	checkTimeout = 10 * time.Second

	// settled is how old a control socket is before it counts. ssh makes it after the log-in, and ends at once when the
	// vendor then refuses the port.
	settled = 3 * time.Second
)

// MetricWriter is the one call to CloudWatch that this package makes.
type MetricWriter interface {
	PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (
		*cloudwatch.PutMetricDataOutput, error)
}

// Heartbeat tells CloudWatch for every tunnel whether it is up: the metric TunnelUp with the dimensions Environment and
// Tunnel, in one call. A tunnel that is down is no error.
func Heartbeat(ctx context.Context, h *install.Host, s *settings.Settings, cfg aws.Config) error {
	return heartbeat(ctx, h, s, cloudwatch.NewFromConfig(cfg))
}

func heartbeat(ctx context.Context, h *install.Host, s *settings.Settings, metrics MetricWriter) error {
	if len(s.Tunnel.Tunnels) == 0 {
		return nil
	}
	downs := make([]error, len(s.Tunnel.Tunnels))
	var checks errgroup.Group
	for i, t := range s.Tunnel.Tunnels {
		checks.Go(func() error {
			downs[i] = check(ctx, h, t.Name)
			return nil
		})
	}
	_ = checks.Wait()
	now := aws.Time(time.Now())
	var data []types.MetricDatum
	for i, t := range s.Tunnel.Tunnels {
		value := 1.0
		if downs[i] != nil {
			value = 0
			h.Say("The tunnel %s is down: %v", t.Name, downs[i])
		}
		data = append(data, types.MetricDatum{
			MetricName: aws.String(metric),
			Timestamp:  now,
			Value:      aws.Float64(value),
			Dimensions: []types.Dimension{
				{Name: aws.String("Environment"), Value: aws.String(s.Environment)},
				{Name: aws.String("Tunnel"), Value: aws.String(t.Name)},
			},
		})
	}
	// At most 1000 data a call; a host has far fewer tunnels.
	if _, err := metrics.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{
		Namespace:  aws.String(s.Tunnel.MetricNamespace),
		MetricData: data,
	}); err != nil {
		return fmt.Errorf("CloudWatch does not take the metric %s: %w", metric, err)
	}
	return nil
}

// check returns nil when the ssh of a tunnel is logged in and answers, and otherwise why it is not up.
func check(ctx context.Context, h *install.Host, name string) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	socket := h.Path(onHost.socket(name))
	if info, err := os.Stat(socket); err != nil {
		return fmt.Errorf("its ssh is not logged in; 'sudo %s tunnel-test %s' says why", settings.Program, name)
	} else if age := time.Since(info.ModTime()); age < settled {
		select {
		case <-time.After(settled - age):
		case <-ctx.Done():
		}
	}
	_, err := h.Run(ctx, "ssh", "-F", "none", "-S", socket, "-O", "check", name)
	return err
}
