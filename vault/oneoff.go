package vault

import (
	"context"
	"sync"

	"gatehouse"
)

// How many one-offs of a place are kept ready, and below how many more are made.
const (
	oneOffsReady = 64
	oneOffsLow   = 32
)

// oneOffs keeps fresh subjects ready whose chains are durable already, so that a
// stranger at a gate costs the committing goroutine neither an encapsulation nor
// an fsync.
type oneOffs struct {
	make func(place gatehouse.Place, n int) ([]oneOff, error) // durable when it returns

	mu      sync.Mutex
	pools   map[gatehouse.Place]*oneOffPool
	running sync.WaitGroup
	closed  bool
}

type oneOff struct {
	subject gatehouse.SubjectID
	chain   *chain
}

type oneOffPool struct {
	ready   []oneOff
	filling bool
}

func newOneOffs(make func(gatehouse.Place, int) ([]oneOff, error)) *oneOffs {
	return &oneOffs{make: make, pools: map[gatehouse.Place]*oneOffPool{}}
}

// take gives one of a place, from the pool or, where that is empty, made now. One
// that comes too late for its caller goes into the pool.
func (o *oneOffs) take(ctx context.Context, place gatehouse.Place) (oneOff, error) {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return oneOff{}, unavailable(nil)
	}
	p := o.pool(place)
	var got oneOff
	found := len(p.ready) > 0
	if found {
		last := len(p.ready) - 1
		got, p.ready = p.ready[last], p.ready[:last]
	}
	o.refill(place, p)
	if !found {
		o.running.Add(1) // for takeNew, before close can begin to wait
	}
	o.mu.Unlock()
	if found {
		return got, nil
	}
	return o.takeNew(ctx, place, p)
}

func (o *oneOffs) takeNew(ctx context.Context, place gatehouse.Place, p *oneOffPool) (oneOff, error) {
	type result struct {
		made []oneOff
		err  error
	}
	done := make(chan result)
	go func() {
		defer o.running.Done()
		made, err := o.make(place, 1)
		select {
		case done <- result{made, err}:
		case <-ctx.Done():
			o.mu.Lock()
			p.ready = append(p.ready, made...)
			o.mu.Unlock()
		}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return oneOff{}, r.err
		}
		return r.made[0], nil
	case <-ctx.Done():
		return oneOff{}, unavailable(ctx.Err())
	}
}

// warm begins to fill a place's pool.
func (o *oneOffs) warm(place gatehouse.Place) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.refill(place, o.pool(place))
	}
}

// pool must be called with the lock held.
func (o *oneOffs) pool(place gatehouse.Place) *oneOffPool {
	p := o.pools[place]
	if p == nil {
		p = &oneOffPool{}
		o.pools[place] = p
	}
	return p
}

// refill must be called with the lock held.
func (o *oneOffs) refill(place gatehouse.Place, p *oneOffPool) {
	if len(p.ready) < oneOffsLow && !p.filling {
		p.filling = true
		o.running.Add(1)
		go o.fill(place, p, oneOffsReady-len(p.ready))
	}
}

func (o *oneOffs) fill(place gatehouse.Place, p *oneOffPool, n int) {
	defer o.running.Done()
	made, err := o.make(place, n)
	o.mu.Lock()
	defer o.mu.Unlock()
	p.filling = false
	if err == nil { // otherwise whoever finds the pool empty hears of it
		p.ready = append(p.ready, made...)
	}
}

// close zeroes the states of the one-offs that nobody took. Their rows stay in the key
// store, about 80 KB a run, and hold nothing: a call that deletes rows by a subject's id,
// without proof or entry, would be a way to erase.
func (o *oneOffs) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.running.Wait()
	for _, p := range o.pools {
		for _, one := range p.ready {
			one.chain.spend()
		}
	}
}
