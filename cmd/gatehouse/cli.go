package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/server"
	"gatehouse/vault"
	"gatehouse/vault/machine"
	"gatehouse/vision/worker"

	"github.com/alecthomas/kong"
)

// CLI is the whole command line.
type CLI struct {
	Config string `help:"The configuration file." default:"gatehouse.yml" env:"GATEHOUSE_CONFIG" placeholder:"FILE"`
	JSON   bool   `name:"json" help:"Print one JSON object on stdout, a list as an array in it; what runs until it is stopped prints one a line. Everything else goes to stderr."`

	Demo      DemoCmd      `cmd:"" help:"Run a self-contained site with people and cars that arrive."`
	Serve     ServeCmd     `cmd:"" help:"Run a real site from gatehouse.yml."`
	Init      InitCmd      `cmd:"" help:"Make a site's keys without starting it."`
	Enroll    EnrollCmd    `cmd:"" help:"Enrol a person or a vehicle."`
	Import    ImportCmd    `cmd:"" help:"Enrol many people or vehicles from a CSV or Excel file; every row is checked first."`
	People    PeopleCmd    `cmd:"" help:"List who and what is enrolled, by badge label."`
	Suspend   SuspendCmd   `cmd:"" help:"Suspend a person or vehicle."`
	Reinstate ReinstateCmd `cmd:"" help:"Let a suspended person or vehicle in again."`
	Consent   ConsentCmd   `cmd:"" help:"Withdraw a person's consent."`
	Group     GroupCmd     `cmd:"" help:"Groups of people and vehicles that the same rules count for."`
	Rule      RuleCmd      `cmd:"" help:"Where and when groups may pass."`
	Why       WhyCmd       `cmd:"" help:"Explain whether somebody may pass a gate, and what would have to change."`
	Schedule  ScheduleCmd  `cmd:"" help:"When something is open: weekly hours, days of their own, holidays."`
	Open      OpenCmd      `cmd:"" help:"Open a gate from afar, with a reason; it is recorded first."`
	Device    DeviceCmd    `cmd:"" help:"Enrol devices."`
	Keys      KeysCmd      `cmd:"" help:"The site's keys: make, show, split, rotate, and what opens them."`
	Secret    SecretCmd    `cmd:"" help:"Passwords and keys that do not belong into gatehouse.yml."`
	Token     TokenCmd     `cmd:"" help:"Let programs of others ask the API: make, list and revoke access tokens."`
	Webhook   WebhookCmd   `cmd:"" help:"Post what happens to programs of others: add, list, log, test, replay, rm."`
	Account   AccountCmd   `cmd:"" help:"Who works with Gatehouse: make, invite, list, give roles, disable and remove accounts."`

	Erase     EraseCmd     `cmd:"" help:"Erase a person, a vehicle or a stranger's capture, with a certificate."`
	Hold      HoldCmd      `cmd:"" help:"Legal holds."`
	Retention RetentionCmd `cmd:"" help:"How long what is kept."`

	Unseal    UnsealCmd    `cmd:"" help:"Open the vault for a stated time."`
	Seal      SealCmd      `cmd:"" help:"Seal the vault now."`
	Budget    BudgetCmd    `cmd:"" help:"Show or set what may be disclosed in an hour and a day."`
	Operator  OperatorCmd  `cmd:"" help:"Tell people apart where two are needed."`
	Canary    CanaryCmd    `cmd:"" help:"Plant made-up records that shut the vault when they are opened; lift it again."`
	Release   ReleaseCmd   `cmd:"" help:"Open more than the budgets give, by two people, into an encrypted file."`
	Alarm     AlarmCmd     `cmd:"" help:"List and acknowledge alarms; try whether they arrive."`
	Vault     VaultCmd     `cmd:"" help:"Run the vault on a machine of its own, for gates elsewhere."`
	TLS       TLSCmd       `cmd:"" name:"tls" help:"How others than this machine reach the server."`
	Doctor    DoctorCmd    `cmd:"" help:"Look for what is wrong: configuration, permissions, exposure, time, disk, keys, cameras, versions, limits."`
	Link      LinkCmd      `cmd:"" help:"Print a one-time link: to set the site up, or with --account for somebody who lost their passkeys."`
	Status    StatusCmd    `cmd:"" help:"Show the running server's state."`
	Backup    BackupCmd    `cmd:"" help:"Make, list and check backups."`
	Restore   RestoreCmd   `cmd:"" help:"Restore a backup onto a bare machine."`
	Search    SearchCmd    `cmd:"" help:"Search the archive: plates, names, numbers, times, gates. Every search is written down."`
	Audit     AuditCmd     `cmd:"" help:"Show, prove and verify the audit log."`
	Watch     WatchCmd     `cmd:"" help:"Dry run on a video, a folder or a camera: nothing is stored."`
	Eval      EvalCmd      `cmd:"" help:"Measure accuracy on a labelled folder."`
	Calibrate CalibrateCmd `cmd:"" help:"Fit thresholds from a false-accept budget."`

	Attendance AttendanceCmd `cmd:"" help:"Hours worked: plans, timesheets, corrections, leave and pay periods."`

	Tariff     TariffCmd     `cmd:"" help:"What parking costs: check a tariff's file, explain a charge, draw a chart; put, list, show, history."`
	Parking    ParkingCmd    `cmd:"" help:"Who is in the car parks: status, stays, stay, exits, attach, dismiss, end."`
	Pass       PassCmd       `cmd:"" help:"Rights to park: add, reserve, quota, deny, order, give-back, list, rm."`
	Driver     DriverCmd     `cmd:"" help:"Pages of drivers who have passes: add, vehicle, invoice, link, list, rm."`
	Shop       ShopCmd       `cmd:"" help:"Shops that give something toward stays, by codes of their page: add, link, list, rm."`
	Kiosk      KioskCmd      `cmd:"" help:"Screens at lanes that show the drivers' pages: add, list, rm."`
	Validation ValidationCmd `cmd:"" help:"What shops give toward a stay."`
	Books      BooksCmd      `cmd:"" help:"What parking brought in: report, take, refund, write off, close, reconcile, export, check."`

	Drill      DrillCmd      `cmd:"" help:"Play the thief on a copy of the site, and report what was found."`
	Bench      BenchCmd      `cmd:"" help:"Measure speed."`
	Simulate   SimulateCmd   `cmd:"" help:"Simulate days of a car park, and compare with the truth."`
	Completion CompletionCmd `cmd:"" help:"Print the completion of commands, options and ids for bash, zsh or fish."`
	Version    VersionCmd    `cmd:"" help:"Print the version."`
}

// Out is where a command prints.
type Out struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	JSON           bool
	Config         string

	desk api.Desk // at a vault's machine; nil at a site
	dir  string   // the directory that no secret may be written into, there
}

// Object prints v as one JSON object on one line.
func (o *Out) Object(v any) error { return json.NewEncoder(o.Stdout).Encode(v) }

// Say prints a line for people: on stdout, or on stderr where stdout is JSON.
func (o *Out) Say(format string, args ...any) {
	w := o.Stdout
	if o.JSON {
		w = o.Stderr
	}
	fmt.Fprintf(w, format+"\n", args...)
}

// The arguments with which the program starts itself as a child process.
var children = map[string]func(context.Context) error{
	"__vision": worker.RunChild,
	"__vault":  vault.RunChildWith(server.Payroll()),
}

// Main runs one command and returns its exit status: 0, 1 for a failure, 2 for a
// command line that cannot be understood, 130 for a command that ctx's end stopped
// before its own (demo, serve and watch have no other end: 0).
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// A core dump would hold the gate key and templates in clear; child processes inherit this.
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return report(stderr, gatehouse.Errorf("process.failed", "see the system's limits", "core dumps cannot be switched off: %w", err))
	}
	if len(args) > 0 {
		run, ok := children[args[0]]
		if !ok {
			run, ok = machine.Children()[args[0]]
		}
		if ok {
			return report(stderr, run(ctx))
		}
		if args[0] == completeArg {
			complete(ctx, args[1:], stdout)
			return 0
		}
	}
	if len(args) > 0 && args[0] == "help" { // `gatehouse help keys rotate`, as people try it
		args = append(slices.Clone(args[1:]), "--help")
	}
	var cli CLI
	exited, status := false, 0
	parser, err := kong.New(&cli, kong.Name("gatehouse"), kong.Description("Runs the gates of a site, and cannot leak."),
		kong.UsageOnError(), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited, status = true, code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return report(stderr, err)
	}
	parsed, err := parser.Parse(args)
	if exited {
		return status
	}
	if err != nil {
		fmt.Fprintf(stderr, "gatehouse: %v; see gatehouse --help\n", err)
		return 2
	}
	out := &Out{Stdin: stdin, Stdout: stdout, Stderr: stderr, JSON: cli.JSON, Config: cli.Config}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(out)
	if err != nil && ctx.Err() != nil && !untilStopped[parsed.Command()] {
		fmt.Fprintln(stderr, "gatehouse: interrupted; it is not finished")
		return interrupted
	}
	return report(stderr, err)
}

// untilStopped are the commands whose proper end is being stopped.
var untilStopped = map[string]bool{"demo": true, "serve": true, "vault serve": true, "watch": true}

// interrupted is the exit status of a command that was stopped before its end, as
// shells give it for SIGINT.
const interrupted = 130

func report(stderr io.Writer, err error) int {
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return 0
	}
	var e *gatehouse.Error
	if errors.As(err, &e) {
		fmt.Fprintln(stderr, "gatehouse:", e.Error())
	} else {
		fmt.Fprintln(stderr, "gatehouse:", err)
	}
	return 1
}

// config reads the configuration; where there is no file of the default name, the
// defaults do.
func (o *Out) config() (server.Config, error) {
	c, err := server.LoadConfig(o.Config, os.Environ())
	if gatehouse.ErrorCode(err) == "config.missing" && o.Config == "gatehouse.yml" {
		return c, nil
	}
	return c, err
}

// VersionCmd prints the version.
type VersionCmd struct{}

// Run prints it.
func (VersionCmd) Run(out *Out) error {
	if out.JSON {
		return out.Object(map[string]string{"version": server.Version})
	}
	out.Say("gatehouse %s", server.Version)
	return nil
}
