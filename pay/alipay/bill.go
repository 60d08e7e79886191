package alipay

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"gatehouse"
)

// maxBill bounds a day's bill, packed and unpacked, in bytes.
const maxBill = 64 << 20

// Movements implements gatehouse.PaymentProvider: the lines of each day's bill, of which that of
// yesterday is there from ten in the morning on. A day without any has no bill.
func (a *Alipay) Movements(ctx context.Context, from, until time.Time) (all []gatehouse.Movement, err error) {
	today := a.o.Now().In(clock).Format(time.DateOnly)
	first := from.In(clock)
	for day := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, clock); day.Format(time.DateOnly) < today && day.Before(until); day = day.AddDate(0, 0, 1) {
		var got struct {
			URL string `json:"bill_download_url"`
		}
		err := a.call(ctx, "alipay.data.dataservice.bill.downloadurl.query", map[string]string{"bill_type": "trade", "bill_date": day.Format(time.DateOnly)}, &got, "isp.bill_not_exist")
		if err != nil {
			return nil, err
		}
		if got.URL == "" {
			continue
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, got.URL, nil)
		if err != nil {
			return nil, malformed()
		}
		body, err := a.fetch(req)
		if err != nil {
			return nil, err
		}
		lines, err := readBill(body)
		if err != nil {
			return nil, err
		}
		for _, m := range lines {
			if !m.At.Before(from) && m.At.Before(until) {
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// readBill reads a bill: a ZIP of tables in GB 18030, of which the one that sums up is left out.
func readBill(body []byte) (all []gatehouse.Movement, err error) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, malformed()
	}
	for _, f := range z.File {
		name := f.Name
		if f.NonUTF8 {
			if s, err := simplifiedchinese.GB18030.NewDecoder().String(name); err == nil {
				name = s
			}
		}
		if strings.Contains(name, "汇总") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, malformed()
		}
		text, err := io.ReadAll(io.LimitReader(simplifiedchinese.GB18030.NewDecoder().Reader(r), maxBill))
		_ = r.Close()
		if err != nil {
			return nil, malformed()
		}
		lines, err := readTable(string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, lines...)
	}
	return all, nil
}

// readTable reads the lines of a table whose columns are named in the first line without a #.
func readTable(text string) (all []gatehouse.Movement, err error) {
	c := csv.NewReader(strings.NewReader(text))
	c.Comment, c.FieldsPerRecord, c.LazyQuotes = '#', -1, true
	column := map[string]int{}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, malformed()
		}
		if len(column) == 0 {
			for i, name := range row {
				column[strings.TrimSpace(name)] = i
			}
			continue
		}
		cell := func(name string) string {
			if i, ok := column[name]; ok && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		m := gatehouse.Movement{ID: cell("支付宝交易号"), Payment: cell("支付宝交易号"), Kind: gatehouse.BookPayment, At: parseStamp(cell("完成时间"))}
		m.Object = m.Payment
		if cell("业务类型") == "退款" {
			m.Kind, m.Object = gatehouse.BookRefund, cell("退款批次号/请求号")
			m.ID += "/" + m.Object
		}
		if m.Amount, err = either(cell("订单金额（元）")); err != nil || m.Payment == "" || m.At.IsZero() || m.Object == "" {
			return nil, malformed()
		}
		if fee := cell("服务费（元）"); fee != "" {
			f, err := either(fee)
			if err != nil {
				return nil, err
			}
			m.Fee = -f.Minor // it is taken off there
		}
		all = append(all, m)
	}
}

// either reads an amount of a bill, where what goes out has a sign.
func either(s string) (gatehouse.Money, error) {
	rest, negative := strings.CutPrefix(s, "-")
	m, err := amount(rest)
	if negative {
		m = m.Neg()
	}
	return m, err
}
