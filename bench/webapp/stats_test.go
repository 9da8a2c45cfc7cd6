package webapp

import "slices"

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}
func least(values []float64) float64 { return slices.Min(values) }
func most(values []float64) float64  { return slices.Max(values) }
func rates2(of []measurement) (rates []float64) {
	for _, m := range of {
		rates = append(rates, m.rate)
	}
	return rates
}
