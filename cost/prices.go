package cost

import (
	_ "embed"
	"encoding/json"
)

//go:embed prices.json
var pricesFile []byte

// prices are list prices in USD, as of one day and for one region, without free tier, tax and data transfer.
type prices struct {
	AsOf       string  `json:"asOf"`   // such as 2026-11
	Region     string  `json:"region"` // such as us-east-1
	HoursMonth float64 `json:"hoursAMonth"`

	// Prices of an hour.
	Instance            map[string]float64 `json:"instanceHour"`          // by EC2 type, with Linux
	Database            map[string]float64 `json:"databaseHour"`          // by RDS class, MySQL in one zone
	DatabaseWithStandby map[string]float64 `json:"databaseStandbyHour"`   // by RDS class, MySQL Multi-AZ
	LoadBalancer        float64            `json:"loadBalancerHour"`      // Application Load Balancer, without LCUs
	PublicAddress       float64            `json:"publicAddressHour"`     // public IPv4 address, in use or not
	InterfaceEndpoint   float64            `json:"interfaceEndpointHour"` // in each zone

	// Prices of a month.
	Disk                   float64 `json:"diskGiB"`            // EBS gp3
	DatabaseStorage        float64 `json:"databaseStorageGiB"` // RDS gp3, one zone
	DatabaseStorageStandby float64 `json:"databaseStorageStandbyGiB"`
	Secret                 float64 `json:"secret"`
	Alarm                  float64 `json:"alarm"`
	Metric                 float64 `json:"customMetric"`

	// How many alarms and custom metrics of an account are free, for ever.
	FreeAlarms  int `json:"freeAlarms"`
	FreeMetrics int `json:"freeCustomMetrics"`
}

func readPrices() prices {
	var p prices
	if err := json.Unmarshal(pricesFile, &p); err != nil {
		panic(err) // The file is part of the binary.
	}
	return p
}
