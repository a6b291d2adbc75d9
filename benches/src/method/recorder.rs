//! What a client writes down about each reply, and what it tells in the end.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::connections::Sent;
use super::{Outcome, histogram};

/// How a recorder can be wrong: faults that the checks must find.
#[derive(Clone, Copy)]
enum Wrong {
    /// It fills in the service times that it believes to be missing, for this interval.
    Corrects(u64),
    /// It measures the response from the actual send: coordinated omission.
    Omits,
    Halves,
}

pub struct Recorder {
    pub response: Histogram<u64>,
    pub service: Histogram<u64>,
    /// Actual send minus the moment from which it was possible.
    pub lag: Histogram<u64>,
    wrong: Option<Wrong>,
    /// When the time is over; replies that come later are recorded, and were not served in time.
    ends: u64,
    /// Replies, and those of them that came before that.
    replies: u64,
    served: u64,
    /// Sum of the service times, for their mean is not to be rounded.
    total_service: u128,
}

impl Recorder {
    pub fn new(ends: u64) -> Self {
        let [response, service, lag] = std::array::from_fn(|_| histogram::new());
        Self { response, service, lag, wrong: None, ends, replies: 0, served: 0, total_service: 0 }
    }

    /// Makes it wrong in the way of `fault`; `interval` is what lies between the messages of a
    /// connection, in nanoseconds.
    pub fn break_on_purpose(&mut self, fault: Option<&str>, interval: u64) {
        self.wrong = match fault {
            Some("corrected-histogram") => Some(Wrong::Corrects(interval)),
            Some("coordinated-omission") => Some(Wrong::Omits),
            Some("halved-latency") => Some(Wrong::Halves),
            _ => None,
        };
    }

    #[inline]
    pub fn reply(&mut self, sent: Sent, now: u64) {
        let mut response = now.saturating_sub(sent.intended);
        let mut service = now.saturating_sub(sent.actual);
        match self.wrong {
            Some(Wrong::Omits) => response = service,
            Some(Wrong::Halves) => service /= 2,
            _ => {}
        }
        match self.wrong {
            // Out of bounds cannot be: the histogram saturates long before.
            Some(Wrong::Corrects(interval)) => drop(self.service.record_correct(service, interval)),
            _ => histogram::record(&mut self.service, service),
        }
        histogram::record(&mut self.response, response);
        self.total_service += u128::from(service);
        self.replies += 1;
        self.served += u64::from(now < self.ends);
    }

    pub fn mean_service(&self) -> f64 {
        self.total_service as f64 / self.response.len().max(1) as f64 / 1e9
    }

    pub fn tell(self, elapsed: Duration, outcome: &mut Outcome) -> Result<(), String> {
        outcome.metric("replies", self.replies as f64);
        outcome.metric("rate", self.served as f64 / elapsed.as_secs_f64());
        let all = [("response", &self.response), ("service", &self.service), ("lag", &self.lag)];
        for (name, histogram) in all {
            if !histogram.is_empty() {
                outcome.distribution(name, histogram)?;
            }
        }
        Ok(())
    }
}
