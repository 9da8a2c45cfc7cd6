package cloudwatch

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/encoding/cbor"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/awsapi/awstest"
)

// start is a CloudWatch, and a client that may put data into the namespace Drawbridge.
func start(t *testing.T) (*Server, *cloudwatch.Client, string) {
	t.Helper()
	s := New(awstest.Options(t, map[string]any{
		"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*",
		"Condition": map[string]any{"StringEquals": map[string]any{"cloudwatch:namespace": "Drawbridge"}},
	}))
	url := awstest.Serve(t, s)
	return s, cloudwatch.NewFromConfig(awstest.Config(url, s.Credentials(awstest.Role))), url
}

func tunnelUp(value float64, tunnel string) types.MetricDatum {
	return types.MetricDatum{
		MetricName: aws.String("TunnelUp"), Value: &value, Unit: types.StandardUnitCount,
		Dimensions: []types.Dimension{
			{Name: aws.String("Environment"), Value: aws.String("dev")}, {Name: aws.String("Tunnel"), Value: &tunnel},
		},
	}
}

func TestValuesAreKept(t *testing.T) {
	s, c, _ := start(t)
	at := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	bi := tunnelUp(1, "bi")
	bi.Timestamp = &at
	_, err := c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("Drawbridge"), MetricData: []types.MetricDatum{bi, tunnelUp(0, "other")},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := s.Data()
	if len(got) != 2 || !got[0].Time.Equal(at) || time.Since(got[1].Time) > time.Minute {
		t.Fatalf("%+v", got)
	}
	got[0].Time, got[1].Time = time.Time{}, time.Time{}
	want := []Datum{
		{"Drawbridge", "TunnelUp", map[string]string{"Environment": "dev", "Tunnel": "bi"}, 1, "Count", time.Time{}, awstest.Role},
		{"Drawbridge", "TunnelUp", map[string]string{"Environment": "dev", "Tunnel": "other"}, 0, "Count", time.Time{}, awstest.Role},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestManyValuesComePacked(t *testing.T) {
	s, c, _ := start(t)
	var many []types.MetricDatum
	for n := range maxMetrics {
		many = append(many, tunnelUp(float64(n), fmt.Sprint("tunnel-", n)))
	}
	if _, err := c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Drawbridge"), MetricData: many}); err != nil {
		t.Fatal(err)
	}
	if got := s.Data(); len(got) != len(many) || got[999].Value != 999 {
		t.Errorf("%d values came", len(got))
	}
}

func TestRequestsThatCloudWatchRefuses(t *testing.T) {
	s, c, _ := start(t)
	for name, change := range map[string]func(*types.MetricDatum){
		"no number":           func(d *types.MetricDatum) { d.Value = aws.Float64(math.NaN()) },
		"no value":            func(d *types.MetricDatum) { d.Value = nil },
		"no name":             func(d *types.MetricDatum) { d.MetricName = aws.String("") },
		"an old time":         func(d *types.MetricDatum) { d.Timestamp = aws.Time(time.Now().Add(-15 * 24 * time.Hour)) },
		"a time ahead":        func(d *types.MetricDatum) { d.Timestamp = aws.Time(time.Now().Add(3 * time.Hour)) },
		"an empty dimension":  func(d *types.MetricDatum) { d.Dimensions[0].Value = aws.String("") },
		"too many dimensions": func(d *types.MetricDatum) { d.Dimensions = make([]types.Dimension, 31) },
		"several values":      func(d *types.MetricDatum) { d.Values = []float64{1} },
	} {
		t.Run(name, func(t *testing.T) {
			datum := tunnelUp(1, "bi")
			change(&datum)
			for i := range datum.Dimensions {
				if datum.Dimensions[i].Name == nil { // the client asks for both
					datum.Dimensions[i] = types.Dimension{Name: aws.String(fmt.Sprint("n", i)), Value: aws.String("x")}
				}
			}
			_, err := c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
				Namespace: aws.String("Drawbridge"), MetricData: []types.MetricDatum{tunnelUp(1, "good"), datum},
			})
			awstest.WantCode(t, err, "InvalidParameterValue")
		})
	}
	_, err := c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Drawbridge")})
	awstest.WantCode(t, err, "InvalidParameterValue")
	_, err = c.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	awstest.WantCode(t, err, awsapi.NoOperation)
	if got := s.Data(); len(got) > 0 {
		t.Errorf("values of refused requests are kept: %+v", got)
	}
}

func TestOnlyTheRolesNamespaceIsOpen(t *testing.T) {
	s, c, url := start(t)
	in := func(namespace string) *cloudwatch.PutMetricDataInput {
		return &cloudwatch.PutMetricDataInput{Namespace: &namespace, MetricData: []types.MetricDatum{tunnelUp(1, "bi")}}
	}
	for _, namespace := range []string{"drawbridge", "Drawbridge2", "AWS/EC2"} {
		_, err := c.PutMetricData(t.Context(), in(namespace))
		awstest.WantCode(t, err, awsapi.Denied)
	}
	for code, config := range awstest.Strangers(url, s.Issuer) {
		_, err := cloudwatch.NewFromConfig(config).PutMetricData(t.Context(), in("Drawbridge"))
		awstest.WantCode(t, err, code)
	}
	body := cbor.Encode(cbor.Map{"Namespace": cbor.String("Drawbridge")})
	response, err := http.Post(url+operationPath+"PutMetricData", "application/cbor", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("an unsigned request gets %d", response.StatusCode)
	}
	if got := s.Data(); len(got) > 0 {
		t.Errorf("values of refused requests are kept: %+v", got)
	}
	s.Inject(awsapi.Fault{Resource: "Drawbridge", Times: 1, Code: "Throttling"})
	_, err = c.PutMetricData(t.Context(), in("Drawbridge"))
	awstest.WantCode(t, err, "Throttling")
}
