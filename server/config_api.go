package server

import "fmt"

// APIConfig is about programs of others that ask the API.
type APIConfig struct {
	PerMinute int `yaml:"requests_per_minute"`
}

func (c APIConfig) check() error {
	if c.PerMinute < 1 || c.PerMinute > 100_000 {
		return fmt.Errorf("api.requests_per_minute is 1 to 100000, not %d", c.PerMinute)
	}
	return nil
}
