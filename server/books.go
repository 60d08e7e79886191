package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/flow/books"
	"gatehouse/parkingpages"
	"gatehouse/pay/alipay"
	atdesk "gatehouse/pay/desk"
	"gatehouse/pay/stripe"
	"gatehouse/pay/wechat"
)

// openBooks opens the site's books, and the ways to pay.
func (s *Server) openBooks() {
	ways := atdesk.All(time.Now)
	if s.config.Paying.Stripe {
		ways["stripe"] = stripe.New(stripe.Options{Secrets: s, URL: s.opts.StripeURL})
	}
	notify := func(name string) func() string {
		return func() string { return s.auth.BaseURL() + "/pay/" + name + "/webhook" }
	}
	if c := s.config.Paying.Alipay; c.AppID != "" {
		ways["alipay"] = alipay.New(alipay.Options{AppID: c.AppID, Secrets: s, Notify: notify("alipay"), URL: s.opts.AlipayURL})
	}
	if c := s.config.Paying.WeChat; c.Merchant != "" {
		ways["wechat"] = wechat.New(wechat.Options{Merchant: c.Merchant, AppID: c.AppID, Certificate: c.Certificate, PublicKey: c.PublicKey, Secrets: s, Notify: notify("wechat"), URL: s.opts.WeChatURL})
	}
	s.books = books.New(books.Ports{Place: s.site.Place, Location: s.site.Location, Store: s.store, Providers: ways, Label: s.config.Site.Name, Log: s.log, Changed: s.committed})
}

// payable are the stays that are paid for; nil where the site has no car park.
func (s *Server) payable() gatehouse.PayableStays {
	switch {
	case s.opts.Stays != nil:
		return s.opts.Stays
	case s.stays.None():
		return nil
	}
	return s.stays
}

// Books are the site's books.
func (s *Server) Books() *books.Books { return s.books }

// How often an address may ask for a stay: so that nobody can ask whether somebody else's
// car is parked.
const (
	stayTries       = 5
	kioskTries      = 120 // of a screen that all drivers share
	stayTriesWithin = time.Hour
)

// receiptFont has the Chinese characters of receipts; it is fetched with the models.
const receiptFont = "fonts/ZCOOLQingKeHuangYou-Regular.ttf"

// driverPages are what drivers see; base is where the site is reached.
func (s *Server) driverPages(base string) (*parkingpages.Pages, error) {
	// The key lies wrapped by the gate key, so that who has tried is in no copy of the disk.
	key, err := s.gateKey.FileKey("tries")
	if err != nil {
		return nil, err
	}
	c := s.config.Paying
	seller := parkingpages.Seller{Name: c.Seller.Name, Address: c.Seller.Address, TaxNumber: c.Seller.TaxNumber}
	if seller.Name == "" {
		seller.Name = s.config.Site.Name
	}
	o := parkingpages.Options{Place: s.site.Place, Site: s.config.Site.Name, Language: s.config.Terminal.Language, Location: s.site.Location, BaseURL: base, Seller: seller, Books: s.books, Log: s.log,
		Try: func(ctx context.Context, address string) (bool, error) {
			most := stayTries
			if slices.Contains(c.Kiosks, address) || strings.HasPrefix(address, parkingpages.KioskAsks) {
				most = kioskTries
			}
			mac := hmac.New(sha256.New, key[:])
			mac.Write([]byte(address))
			return s.store.Try(ctx, s.site.Place, [32]byte(mac.Sum(nil)), time.Now(), stayTriesWithin, most)
		},
		Font: func() []byte {
			b, err := os.ReadFile(filepath.Join(s.config.Vision.Assets, receiptFont))
			if err != nil {
				return nil // receipts are in Latin letters then
			}
			return b
		}}
	if stays := s.payable(); stays != nil {
		o.Find = func(ctx context.Context, q gatehouse.StayQuery) (gatehouse.ID, error) {
			return stays.FindStay(ctx, s.site.Place, q, time.Now())
		}
	}
	if !s.stays.None() {
		o.Accounts, o.Shops, o.Kiosks, o.Said = s.stays, s.stays, s.stays, s.stays.Says
		o.Help = func(ctx context.Context, gate gatehouse.GateID) error {
			now := time.Now()
			return s.raise(ctx, gatehouse.Alarm{ID: gatehouse.NewID(now), At: now.UTC(), Kind: gatehouse.HelpAlarm, Gate: gate})
		}
	}
	if !s.stays.None() {
		o.ShowTicket = func(ctx context.Context, k gatehouse.ParkingKiosk, code gatehouse.Secret) (gatehouse.Decision, error) {
			device := gatehouse.DeviceID("screen-" + k.ID.String())
			p, err := s.flow.Show(ctx, gatehouse.Device{Place: s.site.Place, ID: device, Gate: k.Gate},
				gatehouse.Capture{Device: device, Gate: k.Gate, Kind: gatehouse.QRCapture, Received: time.Now(), Secret: code})
			if err != nil || p == nil {
				return gatehouse.Decision{}, err
			}
			return p.Decision, nil
		}
	}
	o.Providers = c.providers()
	return parkingpages.New(o), nil
}

// keepBooks carries out what providers have not answered, and closes the day before, every
// minute.
func (s *Server) keepBooks(ctx context.Context) {
	beat := time.NewTicker(time.Minute)
	defer beat.Stop()
	for {
		if err := s.books.Resume(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("something of the books could not be carried out; it is tried again", "code", gatehouse.ErrorCode(err))
		}
		if err := s.books.CloseDue(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("yesterday's books could not be closed; it is tried again", "code", gatehouse.ErrorCode(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}
