package main

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/lab/demo"
)

// DemoCmd runs a self-contained site.
type DemoCmd struct {
	Dir      string        `help:"Where the demo site's data and keys are made." default:"var/demo" placeholder:"DIR"`
	Listen   string        `help:"Where the console is served; loopback only." default:"localhost:8080"`
	People   int           `help:"How many people are enrolled at the first start." default:"24"`
	Vehicles int           `help:"How many vehicles are enrolled at the first start." default:"12"`
	Arrivals int           `help:"End after so many arrivals at each gate; 0 goes on." default:"0"`
	Pause    time.Duration `help:"Time between two arrivals at a gate." default:"3s"`
	Seed     uint64        `help:"Who comes and in what order follows from this number." default:"1"`
	Parking  bool          `help:"A car park as well, where visitors come and go." default:"true" negatable:""`
}

// passageLine is one passage on stdout.
type passageLine struct {
	Time      time.Time             `json:"time"`
	Gate      gatehouse.GateID      `json:"gate"`
	Kind      gatehouse.ReadingKind `json:"kind"`
	Decision  string                `json:"decision"`
	Reason    gatehouse.Reason      `json:"reason"`
	LatencyMS float64               `json:"latency_ms"`
}

// arrivalLine says what was staged, so that a reader can compare.
type arrivalLine struct {
	Time   time.Time        `json:"time"`
	Gate   gatehouse.GateID `json:"gate"`
	Staged demo.Act         `json:"staged"`
}

// Run plays the demo.
func (cmd DemoCmd) Run(ctx context.Context, out *Out) error {
	o := demo.Options{Dir: cmd.Dir, Listen: cmd.Listen, People: cmd.People, Vehicles: cmd.Vehicles, Arrivals: cmd.Arrivals, Pause: cmd.Pause, Seed: cmd.Seed, Parking: cmd.Parking,
		Stderr: out.Stderr}
	o.Ready = func(link string, k demo.Keys) {
		out.Say("\nThe demo site is open. Open this link once, in a browser on this machine:\n\n    %s\n", link)
		out.Say("Everything personal is sealed. The site's data:      %s\nThe gate key (opens templates and plates at boot):   %s\nThe vault's passphrase (names, photos, old plates):  %s\n", k.Data, k.GateKey, k.PassphraseFile)
		out.Say("A shift team's week was paid; the files for payroll:  %s", k.Payroll)
		if k.Worker != "" {
			out.Say("One of the team sees their own hours and payslip in a private window, or on another browser, with this link:\n\n    %s\n", k.Worker)
		}
		out.Say("People and cars arrive every few seconds; Ctrl-C ends it.")
	}
	o.Arrived = func(a demo.Arrival) {
		if out.JSON {
			_ = out.Object(arrivalLine{a.At, a.Gate, a.Act})
		}
	}
	o.Committed = func(p gatehouse.Passage) {
		decision := "denied"
		if p.Decision.Grant {
			decision = "granted"
		}
		if out.JSON {
			_ = out.Object(passageLine{p.At, p.Gate, p.Kind, decision, p.Decision.Reason, float64(p.Latency.Microseconds()) / 1000})
			return
		}
		out.Say("%s  %-12s %-6s %-8s %-18s %4d ms", p.At.Local().Format(time.TimeOnly), p.Gate, p.Kind, decision, p.Decision.Reason, p.Latency.Milliseconds())
	}
	return demo.Run(ctx, o)
}
