package api

import (
	"gatehouse/api/wire"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	parkingSpaces    = desc("parking_spaces", "Spaces of a car park.", "car_park")
	parkingInside    = desc("parking_inside", "Vehicles in a car park.", "car_park")
	parkingFree      = desc("parking_free", "Spaces that are free: 0 is what a sign calls full.", "car_park")
	parkingWaiting   = desc("parking_waiting", "Vehicles at an exit that owe something.", "car_park")
	parkingUnmatched = desc("parking_unmatched_exits", "Exits of the last days that wait for a person.", "car_park")
)

// Parking adds the car parks' numbers.
func (m *Metrics) Parking(now func() []wire.CarPark) {
	if m != nil {
		m.registry.MustRegister(occupied(now))
	}
}

// occupied collects what a moment's car parks say.
type occupied func() []wire.CarPark

// Describe implements prometheus.Collector.
func (occupied) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{parkingSpaces, parkingInside, parkingFree, parkingWaiting, parkingUnmatched} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (o occupied) Collect(ch chan<- prometheus.Metric) {
	for _, c := range o() {
		for d, n := range map[*prometheus.Desc]int{parkingSpaces: c.Capacity, parkingInside: c.Inside, parkingFree: c.Free, parkingWaiting: c.Waiting, parkingUnmatched: c.Unmatched} {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), c.ID)
		}
	}
}
