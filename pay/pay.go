// Package pay is where ways to pay are: each a package of its own behind
// gatehouse.PaymentProvider, replaceable alone.
//
//	pay/stripe   Stripe Checkout, its webhooks and its account
//	pay/alipay   Alipay: a code that the driver scans or opens
//	pay/wechat   WeChat Pay: a code that the driver scans
//	pay/desk     cash, a card terminal, an invoice: money that a person takes
package pay
