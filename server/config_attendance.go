package server

import (
	"slices"

	"gatehouse"
	"gatehouse/rules/privacy"
)

// AttendanceConfig is about hours worked.
type AttendanceConfig struct {
	Gates    []string `yaml:"gates"`
	Faces    bool     `yaml:"faces"`
	WebClock bool     `yaml:"web_clock"`
}

// check refuses gates that are no doors, and faces where the law that the site named does
// not let them count.
func (c AttendanceConfig) check(gates []GateConfig, law privacy.Law) error {
	for _, id := range c.Gates {
		i := slices.IndexFunc(gates, func(g GateConfig) bool { return g.ID == id })
		if i < 0 || gates[i].Kind != string(gatehouse.Door) {
			return gatehouse.Errorf("config.invalid", "name doors of `gates`", "attendance.gates: %q is no door", id)
		}
	}
	if c.Faces && !law.FacesAtWork {
		return gatehouse.Errorf("config.invalid", "let badges count: that law does not let faces control working hours", "attendance.faces: under law.profile %s faces never count as attendance", law.Profile)
	}
	return nil
}

// attendanceGates are those that count.
func (c AttendanceConfig) attendanceGates() map[gatehouse.GateID]bool {
	out := map[gatehouse.GateID]bool{}
	for _, id := range c.Gates {
		out[gatehouse.GateID(id)] = true
	}
	return out
}
