package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
	"gatehouse/flow/timesheet"
	"gatehouse/holidays"
	"gatehouse/payroll"
)

// openHours reads the book of hours.
func (s *Server) openHours(ctx context.Context) (err error) {
	c := s.config.Attendance
	s.hours, err = timesheet.Load(ctx, timesheet.Ports{Place: s.site.Place, Location: s.site.Location, Store: s.store, Passages: s.store, Subjects: s.store, Sealer: s.vault, Newest: s.store.Newest,
		Gates: c.attendanceGates(), Faces: c.Faces, WebClock: c.WebClock, Calendar: holidays.Of, CheckEarnings: checkEarnings})
	return err
}

// checkEarnings refuses a pay scheme by its first problem.
func checkEarnings(scheme []gatehouse.Earning) error {
	for _, p := range payroll.CheckScheme(scheme) {
		return gatehouse.Errorf("hours.earnings", p.Reason, "the pay scheme cannot be used: %s", p.Code)
	}
	return nil
}

// followHours makes punches of what is committed. It reads metadata alone, so it works
// while the vault is sealed.
func (s *Server) followHours(ctx context.Context) {
	follow.Run(ctx, s.store, s.hours, time.Second, s.hoursWake, func(err error) {
		if err != nil {
			s.log.Warn("passages are not counted as hours; it is tried again", "code", gatehouse.ErrorCode(err))
		}
	})
}
