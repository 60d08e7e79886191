package main

import (
	"context"
	"os"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/server"
	"gatehouse/server/doctor"
)

// DoctorCmd looks for what is wrong.
type DoctorCmd struct {
	Areas []string `arg:"" optional:"" help:"permissions, exposure, time, disk, keys, cameras, versions, limits, parking, attendance; without one all of them." enum:"permissions,exposure,time,disk,keys,cameras,versions,limits,parking,attendance"`
}

// Run prints what it found, and fails where something must be put right.
func (cmd DoctorCmd) Run(ctx context.Context, out *Out) error {
	report := doctor.Run(ctx, doctor.Options{Path: out.Config, Environ: os.Environ(), Only: cmd.Areas, Live: func(_ context.Context, c server.Config) (doctor.Live, error) {
		running, err := runningServer(c)
		if running == nil || err != nil {
			return nil, err
		}
		return running, nil
	}})
	if out.JSON {
		if err := out.Object(report); err != nil {
			return err
		}
	} else {
		out.checks(report)
	}
	if report.Verdict == doctor.Fail {
		return gatehouse.Errorf("doctor.failed", "do what stands beside each", "not everything is as it must be")
	}
	return nil
}

func (o *Out) checks(r doctor.Report) {
	area := ""
	for _, c := range r.Checks {
		if c.Area != area {
			area = c.Area
			o.Say("%s", area)
		}
		o.Say("  %-8s %s: %s", c.Verdict, c.Name, c.Reason)
		if c.Do != "" {
			o.Say("           → %s", c.Do)
		}
	}
}

// examine is the doctor for a server that runs in this process.
func examine(config string) server.Examine {
	return func(ctx context.Context, live api.Admin) wire.Examination {
		return doctor.Run(ctx, doctor.Options{Path: config, Environ: os.Environ(), Live: func(context.Context, server.Config) (doctor.Live, error) { return live, nil }})
	}
}

// origins says where each option of a configuration comes from.
func origins(config string) map[string]string {
	raw, err := os.ReadFile(config)
	if err != nil {
		raw = nil // there is none: the defaults hold
	}
	return server.Origins(raw, os.Environ())
}
