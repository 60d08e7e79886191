package vault

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"gatehouse"
)

func BenchmarkSeal(b *testing.B) {
	in := install(b)
	subject := gatehouse.RandomID()
	for _, c := range []struct {
		name string
		size int
		pad  gatehouse.Padding
	}{{"detail-512", 512, gatehouse.PadField}, {"image-60KB", 60 << 10, gatehouse.PadImage}} {
		b.Run(c.name, func(b *testing.B) {
			plain, where := make([]byte, c.size), someplace("detail")
			b.SetBytes(int64(c.size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := in.vault.Seal(b.Context(), subject, gatehouse.PassageClass, where, plain, c.pad); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFirstSeal is the first item of a subject: an encapsulation and a durable
// row, alone and with 16 goroutines that share commits.
func BenchmarkFirstSeal(b *testing.B) {
	in := install(b)
	seal := func() error {
		_, err := in.vault.Seal(b.Context(), gatehouse.RandomID(), gatehouse.PassageClass, someplace("detail"), make([]byte, 512), gatehouse.PadField)
		return err
	}
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			if err := seal(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("together", func(b *testing.B) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := seal(); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkOneOff takes strangers as fast as they can be had, and at 50 a second,
// where the pool answers.
func BenchmarkOneOff(b *testing.B) {
	in := install(b)
	take := func(b *testing.B) {
		if _, err := in.vault.OneOff(b.Context(), place); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("flood", func(b *testing.B) {
		for b.Loop() {
			take(b)
		}
	})
	b.Run("pooled", func(b *testing.B) {
		in.vault.Prepare(place, gatehouse.SubjectID{}, gatehouse.PassageClass)
		time.Sleep(time.Second)
		var spent time.Duration
		n := 0
		for b.Loop() {
			time.Sleep(20 * time.Millisecond)
			began := time.Now()
			take(b)
			spent += time.Since(began)
			n++
		}
		b.ReportMetric(float64(spent.Microseconds())/float64(n), "µs/take")
	})
}

func BenchmarkEncapsulate(b *testing.B) {
	in := install(b)
	for b.Loop() {
		if _, c, err := in.vault.newRow(chainKey{Place: place, subject: gatehouse.ID{1}}); err != nil || c == nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	in := install(b)
	proof := in.unseal(b)
	for _, n := range []int{1, 200} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var refs []gatehouse.SealedRef
			for range n {
				refs = append(refs, in.sealOne(b, gatehouse.RandomID(), "LS15EBC"))
			}
			for b.Loop() {
				if _, err := in.vault.Open(b.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "live", Refs: refs}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDisclose is one name with everything that is written before it is shown: the
// levels, the disclosure and the leaf that commits to both, in one durable transaction.
func BenchmarkDisclose(b *testing.B) {
	in := install(b)
	proof := in.unseal(b)
	ref := in.name(b, "somebody")
	for b.Loop() {
		if n, err := in.ask(b, operator, "", "person", proof, ref); n != 1 || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkWorking(b *testing.B) {
	in := install(b)
	where := gatehouse.SealContext{Place: place, Table: "working/template", Field: "f"}
	sealed, err := in.gate.SealWorking(where, make([]byte, 2048))
	must(b, err)
	for b.Loop() {
		if _, err := in.gate.OpenWorking(where, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

// What the audit log takes of the gate's leaves, a second, in batches of one transaction.
func BenchmarkAuditFollow(b *testing.B) {
	for _, batch := range []int{1, 64, 512} {
		b.Run(fmt.Sprint("batch=", batch), func(b *testing.B) {
			in := install(b)
			at, leaves := 0, 0
			for b.Loop() {
				must(b, in.vault.AuditFollow(b.Context(), gateLeaves(at, batch)))
				at, leaves = at+batch, leaves+batch
			}
			b.ReportMetric(float64(leaves)/b.Elapsed().Seconds(), "leaves/s")
		})
	}
}

// What verifying the log offline does a second.
func BenchmarkAuditVerify(b *testing.B) {
	in := install(b)
	const n = 50_000
	for at := 0; at < n; at += 2000 {
		must(b, in.vault.AuditFollow(b.Context(), gateLeaves(at, 2000)))
	}
	must(b, in.vault.Close())
	for b.Loop() {
		if r := in.verified(b); !r.OK || r.GateLeaves != n {
			b.Fatal(r)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
	in.open(b)
}

// BenchmarkReseal moves rows to a new vault key, as `gatehouse keys rotate vault` does.
func BenchmarkReseal(b *testing.B) {
	from, err := kem().GenerateKey()
	must(b, err)
	to, err := kem().GenerateKey()
	must(b, err)
	keys, err := openKeyStore(b.Context(), b.TempDir(), [32]byte{1}, from.PublicKey())
	must(b, err)
	defer keys.db.Close()
	must(b, keys.pin(b.Context(), to.PublicKey()))
	private := privateKeys{publicKeyName(from.PublicKey()): from}
	for range b.N {
		b.StopTimer()
		rows := make([]chainRow, rotateRows)
		for i := range rows {
			rows[i] = chainRow{Place: place, ID: gatehouse.NewID(time.Now()), Kind: subjectChain, Subject: gatehouse.RandomID(), Recipient: publicKeyName(from.PublicKey())}
			must(b, rows[i].sealSeed(from.PublicKey(), make([]byte, 32)))
		}
		must(b, keys.append(b.Context(), rows))
		b.StartTimer()
		if moved, _, damaged, err := keys.reseal(b.Context(), private, to.PublicKey(), 0, rotateRows); err != nil || moved != rotateRows || damaged != 0 {
			b.Fatal(moved, damaged, err)
		}
	}
	b.ReportMetric(float64(rotateRows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkIndexing is a batch of 512 passages on its way through the vault process:
// opened and put into the index. A stranger's passage has a chain of its own, whose
// seed must be opened for it alone.
func BenchmarkIndexing(b *testing.B) {
	const size = 512
	for _, c := range []struct {
		name     string
		subjects int // 0: strangers
	}{{"strangers", 0}, {"of-100-people", 100}} {
		b.Run(c.name, func(b *testing.B) {
			f := newFeeder(b)
			var people []gatehouse.SubjectID
			for range c.subjects {
				people = append(people, gatehouse.RandomID())
			}
			n := 0
			for b.Loop() {
				b.StopTimer()
				var batch []gatehouse.StoredPassage
				for i := range size {
					subject := gatehouse.RandomID()
					if c.subjects > 0 {
						subject = people[i%len(people)]
					}
					n++
					batch = append(batch, f.passage(b, subject, "AB"+strconv.Itoa(n)))
				}
				b.StartTimer()
				f.index(b, nil, batch...)
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "passages/s")
		})
	}
}
