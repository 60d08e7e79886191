package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/auth"
	"gatehouse/console"
	"gatehouse/ingest/frames"
)

// Run listens, starts the cameras, and serves until ctx ends. ready is called with
// where the console is once everything listens: see entrance.
func (s *Server) Run(ctx context.Context, ready func(link string)) error {
	transport, err := s.openTransport(ctx)
	if err != nil {
		return err
	}
	s.logCustody()
	socket, err := auth.ListenAdmin(SocketPath(s.config))
	if err != nil {
		transport.close()
		return err
	}
	how, err := s.authOptions(transport)
	if err != nil {
		transport.close()
		return errors.Join(err, socket.Close())
	}
	s.auth = auth.New(how)
	if err := s.openEvents(ctx); err != nil {
		transport.close()
		return errors.Join(err, socket.Close())
	}
	pages := pages{s}
	web := console.New(console.Options{Place: s.site.Place, SiteName: s.config.Site.Name, Location: s.site.Location, Gates: s.gateList(),
		Passages: s.store, Lender: pages, Vault: pages, Registry: s.registry(), Disclosures: pages, Archive: pages, Accounts: s.accounts, Tokens: s.tokens, Webhooks: s.webhooks, Rules: s.rules, Badges: s.working, Why: s.why, Openings: pages, Alarms: pages, Devices: pages, Privacy: pages, Control: pages, Health: pages, Audit: pages, Settings: settingsPages{s}, Plans: s.plans(), Books: s.books, ExportBooks: s.exportBooks, Parking: s.parkingPages(), Hours: s.hours, HoursReasons: pages, PayFiles: pages, PunchFiles: pages, Looks: pages, Wages: s.wages, Payslips: pages, WebClock: s.config.Attendance.WebClock, Hub: s.hub, Ring: s.ring, Auth: s.auth, Log: s.log})
	rest := api.New(api.Options{Place: s.site.Place, Captures: s, ParseFrame: frames.Parse, Passages: s.store, Admin: s.admin(), Enrolments: enrolments{s}, Terminals: s, Witness: asWitness{s}, Ready: s.ready, Metrics: s.metrics, Log: s.log,
		Events: s.events, Hub: s.hub, Alive: s.auth.Still, Resources: resources{s.admin()}, Books: s.admin(), Hours: s.admin(), OwnHours: s.admin(), Wages: s.admin(), OwnWages: s.admin(), Replies: replies{s}, PerMinute: s.config.API.PerMinute})
	drivers, err := s.driverPages(s.config.baseURL(transport.port))
	if err != nil {
		transport.close()
		return errors.Join(err, socket.Close())
	}
	routes := slices.Concat(web.Routes(), s.page.Routes(), drivers.Routes(), rest.Routes(), transport.routes())

	s.waiting = func() int { return s.alarms.Waiting() + rest.InFlight() }
	s.metrics.Measure(s.admin().Health, func() map[string]int {
		return map[string]int{"alarms": s.alarms.Waiting(), "device_captures": rest.InFlight()}
	})
	s.metrics.Parking(s.carParks)

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s.mu.Lock()
	s.running, s.routes = ctx, routes
	s.mu.Unlock()
	servers, listeners := transport.servers(s.config.TLS, s.auth.Handler(auth.TCP, routes, refusal(web.Refuse, rest.Refuse)))
	servers = append(servers, &http.Server{Handler: s.auth.Handler(auth.Socket, routes, rest.Refuse), ReadHeaderTimeout: 5 * time.Second})
	listeners = append(listeners, socket)
	failed := make(chan error, len(servers))
	for i, l := range listeners {
		s.wait.Go(func() {
			if err := servers[i].Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	s.wait.Go(func() { transport.run(ctx) })
	s.wait.Go(func() { s.ring.Run(ctx) })
	s.wait.Go(func() { s.sample(ctx, s.waiting) })
	s.wait.Go(func() { s.gates.run(ctx) })
	s.wait.Go(func() { s.tickPosted(ctx) })
	s.wait.Go(func() { s.watchVault(ctx) })
	s.wait.Go(func() { s.noteRefusals(ctx) })
	s.wait.Go(func() { s.keepTokens(ctx) })
	s.wait.Go(func() { s.dropReplies(ctx) })
	s.wait.Go(func() { s.watchAlarms(ctx) })
	s.wait.Go(func() { s.alarms.Run(ctx) })
	s.wait.Go(func() { s.sweepBlobs(ctx) })
	s.wait.Go(func() { s.expire(ctx) })
	s.wait.Go(func() { s.followArchive(ctx) })
	s.wait.Go(func() { s.followAudit(ctx) })
	s.wait.Go(func() { s.followEvents(ctx) })
	s.wait.Go(func() { s.followWebhooks(ctx) })
	s.wait.Go(func() { s.followStays(ctx) })
	s.wait.Go(func() { s.followHours(ctx) })
	s.wait.Go(func() { s.signs.run(ctx) })
	s.wait.Go(func() { s.deliveries.Run(ctx) })
	s.wait.Go(func() { s.witnessLog(ctx) })
	s.wait.Go(func() { s.completeEscrow(ctx) })
	s.wait.Go(func() { s.runBackups(ctx) })
	s.wait.Go(func() { s.keepBooks(ctx) })
	s.vault.Prepare(s.site.Place, gatehouse.SubjectID{}, gatehouse.PassageClass)
	err = nil
	if s.opts.Cameras {
		err = s.startCameras(ctx)
	}
	if err == nil {
		ready(s.entrance())
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	stop()
	web.Close()
	rest.Close()
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, server := range servers {
		if server.Shutdown(end) != nil {
			server.Close()
		}
	}
	s.wait.Wait()
	return err
}

// refusal answers a program with a problem and somebody's browser with a page: what is below
// /api/ is for programs, whoever asks.
func refusal(page, problem auth.Refuse) auth.Refuse {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		if strings.HasPrefix(r.URL.Path, "/api/") || !strings.Contains(r.Header.Get("Accept"), "text/html") {
			problem(w, r, err)
			return
		}
		page(w, r, err)
	}
}

// startAdded brings a device that was just enrolled into effect while the server
// runs: its source is read in the place of the one it had, and at its new gate.
func (s *Server) startAdded(d gatehouse.Device) {
	s.mu.Lock()
	ctx, old := s.running, s.cameras[d.ID]
	s.mu.Unlock()
	if ctx != nil && s.opts.Cameras && s.startCamera(ctx, d) {
		return
	}
	if old != nil && (old.device != d || old.stop != nil) {
		s.mu.Lock()
		if s.cameras[d.ID] == old {
			delete(s.cameras, d.ID)
		}
		s.mu.Unlock()
		old.retire()
	}
}

func (s *Server) gateList() []gatehouse.Gate {
	var out []gatehouse.Gate
	for _, g := range s.config.Gates {
		out = append(out, s.site.Gates[gatehouse.GateID(g.ID)])
	}
	return out
}

// watchVault tells the pages when the vault seals itself, so that no name stays on
// a screen. It keeps the count of who is enrolled fresh beside it.
func (s *Server) watchVault(ctx context.Context) {
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	unsealed := false
	for {
		people, vehicles := s.working.Count()
		s.metrics.Enrolled(people + vehicles)
		st, err := s.vault.Status(ctx)
		if err == nil && !st.Sealed {
			s.claimLease(ctx)
		}
		if now := err == nil && !st.Sealed; now != unsealed {
			unsealed = now
			s.metrics.Vault(now)
			s.hub.VaultChanged()
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}

// sweepBlobs removes sealed pictures that no passage or subject refers to: what a
// crash between the picture and the commit left behind.
func (s *Server) sweepBlobs(ctx context.Context) {
	known := map[gatehouse.BlobID]bool{}
	limit := s.started.Add(-time.Hour) // whatever is younger may belong to a commit in progress
	err := s.store.Blobs(ctx, func(id gatehouse.BlobID) error { known[id] = true; return nil })
	removed := 0
	if err == nil {
		err = s.blobs.EachBlob(ctx, func(id gatehouse.BlobID, written time.Time) error {
			if known[id] || written.After(limit) {
				return nil
			}
			removed++
			return s.blobs.DeleteBlob(ctx, id)
		})
	}
	if err != nil && ctx.Err() == nil {
		s.log.Warn("orphaned pictures could not be swept", "code", gatehouse.ErrorCode(err))
	}
	if removed > 0 {
		s.log.Info("orphaned pictures were removed", "count", removed)
	}
}
