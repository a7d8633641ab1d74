//! Measurements as jobs of the worker: one at a time, beside everything else.

use super::{BENCH_RUNS, BenchError, BenchInput, BenchReport, BenchRequest, MOST_BENCH_RUNS, run_bench};
use crate::preheat::Control;
use crate::worker::event::{BenchOutcome, JobEvent};
use crate::worker::preheating::sets_of;
use crate::worker::service::{NO_SOURCE, Service};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest wait for a measurement to end when the program does.
const LONGEST_FAREWELL: Duration = Duration::from_secs(10);
/// Least room for the memory tier of a measurement, so that a small budget does not measure the disk.
const LEAST_MEMORY_BYTES: u64 = 1 << 30;

/// The measurement that runs, if one does.
#[derive(Default)]
pub(in crate::worker) struct Benches {
    running: Mutex<Option<(Arc<Control>, tokio::task::JoinHandle<()>)>>,
}

impl Benches {
    /// Stops the one that runs; gives out its end to be waited for.
    fn stop(&self) -> Option<tokio::task::JoinHandle<()>> {
        let (control, task) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        control.cancel();
        Some(task)
    }

    /// Stops it and waits until it has taken its folder away.
    pub(in crate::worker) async fn end(&self) {
        if let Some(task) = self.stop()
            && tokio::time::timeout(LONGEST_FAREWELL, task).await.is_err()
        {
            tracing::warn!("a measurement did not end in time");
        }
    }
}

/// Begins a measurement; one that still runs ends first.
pub(in crate::worker) fn start(service: &Arc<Service>, request: BenchRequest) {
    let before = service.benches.stop();
    let control = Arc::new(Control::default());
    let (measuring, own) = (Arc::clone(service), Arc::clone(&control));
    let task = tokio::spawn(async move {
        if let Some(before) = before
            && before.await.is_err()
        {
            tracing::error!("a measurement stopped unexpectedly");
        }
        let generation = request.generation;
        let outcome = match measure(&measuring, request, own).await {
            Ok(report) => BenchOutcome::Done(Arc::new(report)),
            Err(BenchError::Cancelled) => BenchOutcome::Stopped,
            Err(error) => BenchOutcome::Failed(error.to_string()),
        };
        measuring.reporter.send(JobEvent::BenchFinished { generation, outcome }).await;
    });
    *service.benches.running.lock().unwrap_or_else(PoisonError::into_inner) = Some((control, task));
}

/// Stops the measurement that runs.
pub(in crate::worker) fn stop(service: &Arc<Service>) {
    // Its end is told by itself.
    drop(service.benches.stop());
}

async fn measure(service: &Arc<Service>, request: BenchRequest, control: Arc<Control>) -> Result<BenchReport, BenchError> {
    let configuration = service.configuration();
    let url = configuration.source.clone().ok_or_else(|| BenchError::Stopped(NO_SOURCE.to_owned()))?;
    let asking = Arc::clone(service);
    let url = service.blocking(move || asking.with_password(url)).await.ok_or(BenchError::Panic)?;
    let input = BenchInput {
        url,
        options: service.source_options(),
        symbols: None,
        limit: request.limit.max(1),
        runs: if request.runs == 0 { BENCH_RUNS } else { request.runs.min(MOST_BENCH_RUNS) },
        sets: sets_of(None, &configuration).map_err(BenchError::Stopped)?,
        judge: Arc::clone(&configuration.judge),
        cache_dir: service.folders().cache_dir,
        memory_budget_bytes: configuration.settings.memory_budget_bytes.max(LEAST_MEMORY_BYTES),
        clock: Arc::clone(&service.context.clock),
    };
    let (reporter, generation) = (service.reporter.clone(), request.generation);
    let observe = move |progress| reporter.send_blocking(JobEvent::BenchProgress { generation, progress });
    run_bench(input, control, observe).await
}
