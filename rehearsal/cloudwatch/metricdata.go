package cloudwatch

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"drawbridge/rehearsal/awsapi"
)

// The rules of PutMetricData (Amazon CloudWatch API Reference: PutMetricData, MetricDatum, Dimension).
var namespaceRule = regexp.MustCompile(`^[^:][\x20-\x7e]*$`)

const (
	maxText       = 255
	maxMetrics    = 1000
	maxDimensions = 30
	maxAge        = 14 * 24 * time.Hour
	maxAhead      = 2 * time.Hour
)

func invalid(format string, args ...any) error {
	return &awsapi.Error{Code: "InvalidParameterValue", Message: fmt.Sprintf(format, args...)}
}

// put takes all values of a request, or none.
func (s *Server) put(r *awsapi.Request, in cbor.Map) error {
	for name := range in {
		if name != "Namespace" && name != "MetricData" {
			return invalid("the rehearsal does not play %s", name)
		}
	}
	namespace, metrics := r.Resource, list(in, "MetricData")
	switch {
	case !namespaceRule.MatchString(namespace) || len(namespace) > maxText:
		return invalid("The value %q for parameter Namespace is invalid.", namespace)
	case len(namespace) >= 4 && namespace[:4] == "AWS/":
		return invalid("The value AWS/ for parameter Namespace is invalid.")
	case len(metrics) == 0 || len(metrics) > maxMetrics:
		return invalid("MetricData must have from 1 to %d members, and has %d", maxMetrics, len(metrics))
	}
	var data []Datum
	for i, item := range metrics {
		metric, _ := item.(cbor.Map)
		datum, err := parseDatum(metric)
		if err != nil {
			return invalid("MetricData.member.%d: %v", i+1, err)
		}
		datum.Namespace, datum.Principal = namespace, r.Principal
		data = append(data, datum)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = append(s.data, data...)
	return nil
}

func parseDatum(metric cbor.Map) (Datum, error) {
	for _, name := range slices.Sorted(maps.Keys(metric)) {
		if !slices.Contains([]string{"Dimensions", "MetricName", "StorageResolution", "Timestamp", "Unit", "Value"}, name) {
			return Datum{}, fmt.Errorf("the rehearsal does not play %s", name)
		}
	}
	d := Datum{Dimensions: map[string]string{}, Time: time.Now()}
	d.Metric, _ = text(metric, "MetricName")
	d.Unit, _ = text(metric, "Unit")
	value, err := cbor.AsFloat64(metric["Value"])
	switch {
	case d.Metric == "" || len(d.Metric) > maxText:
		return d, fmt.Errorf("MetricName must have from 1 to %d characters", maxText)
	case err != nil || math.IsNaN(value) || math.IsInf(value, 0):
		return d, fmt.Errorf("the Value must be a number")
	}
	d.Value = value
	if given := metric["Timestamp"]; given != nil {
		if d.Time, err = cbor.AsTime(given); err != nil {
			return d, fmt.Errorf("the Timestamp must be a time")
		}
		if age := time.Since(d.Time); age > maxAge || age < -maxAhead {
			return d, fmt.Errorf("the Timestamp must be at most two weeks ago and two hours ahead, and is %s", d.Time.UTC().Format(time.RFC3339))
		}
	}
	dimensions := list(metric, "Dimensions")
	if len(dimensions) > maxDimensions {
		return d, fmt.Errorf("the Dimensions must have at most %d members, and have %d", maxDimensions, len(dimensions))
	}
	for _, item := range dimensions {
		dimension, _ := item.(cbor.Map)
		name, _ := text(dimension, "Name")
		value, _ := text(dimension, "Value")
		if name == "" || value == "" || len(name) > maxText || name[0] == ':' {
			return d, fmt.Errorf("a dimension must have a Name and a Value, and has %q and %q", name, value)
		}
		d.Dimensions[name] = value
	}
	return d, nil
}

func list(in cbor.Map, name string) cbor.List {
	items, _ := in[name].(cbor.List)
	return items
}
