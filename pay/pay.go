// Package pay is where ways to pay are: each a package of its own behind
// gatehouse.PaymentProvider, replaceable alone.
//
//	pay/stripe   Stripe Checkout, its webhooks and its account
//	pay/desk     cash, a card terminal, an invoice: money that a person takes
//
// Alipay and WeChat Pay fit the same port: BeginCheckout is alipay.trade.page.pay or
// precreate, and /v3/pay/transactions/native or h5, whose order number is the checkout's ID;
// ReadNotice verifies their RSA signature (Alipay's over the form, WeChat's over the headers
// Wechatpay-Timestamp and -Nonce with the body, whose resource it decrypts); State is
// trade.query, Refund trade.refund, whose out_request_no is the order's ID; Movements read
// the day's bill. What they want to read in answer to a message is PaymentNotice.Answer.
package pay
