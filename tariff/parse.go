package tariff

import (
	"time"

	"gatehouse"
)

// ParseMoment reads a date and time of day as the tariff's clocks show it: "2026-03-02
// 10:00". Anything else is "tariff.moment".
func ParseMoment(text string, zone *time.Location) (time.Time, error) {
	r := &reader{zone: zone}
	t := r.moment(scalar(text), "")
	if text == "" || len(r.found) > 0 {
		return t, gatehouse.Errorf("tariff.moment", "write it as '2026-03-02 10:00', in the car park's time zone", "a time cannot be understood")
	}
	return t, nil
}

// ParseDuration reads days, hours and minutes: "15m", "1h30m", "2d". Anything else is
// "tariff.duration".
func ParseDuration(text string) (time.Duration, error) {
	r := &reader{}
	d := r.duration(scalar(text), "")
	if text == "" || len(r.found) > 0 {
		return 0, gatehouse.Errorf("tariff.duration", "write 15m, 1h30m or 2d", "a duration cannot be understood")
	}
	return d, nil
}
