use std::{future::poll_fn, sync::atomic::AtomicU32};

use super::*;

/// Counts how often it was rung.
#[derive(Debug, Default)]
struct Counted(AtomicU32);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls a future once that wakes itself so often; what came of it, and how often others heard.
fn poll(times: u32) -> (Poll<()>, u32) {
    let heard = Arc::new(Counted::default());
    let waker = Arc::clone(&heard).into();
    let mut left = times;
    let mut task = Unhurried::new(poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }));
    let polled = Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
    (polled, heard.0.load(Ordering::SeqCst))
}

#[test]
fn a_task_that_wakes_itself_goes_on_and_tells_nobody_unless_it_does_so_for_ever() {
    assert_eq!(poll(0), (Poll::Ready(()), 0));
    assert_eq!(poll(MOST - 1), (Poll::Ready(()), 0));
    assert_eq!(poll(MOST), (Poll::Pending, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_another_thread_wakes_at_any_moment_is_never_forgotten() {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        tasks.spawn(Unhurried::new(async {
            let (mut sender, mut receiver) = tokio::sync::mpsc::channel(1);
            let mut sending = tokio::task::JoinSet::new();
            sending.spawn(async move {
                for number in 0..2000_u32 {
                    sender.send(number).await.unwrap();
                    sender = sender.clone();
                }
            });
            let mut sum = 0_u64;
            while let Some(number) = receiver.recv().await {
                sum += u64::from(number);
            }
            sum
        }));
    }
    assert_eq!(tasks.join_all().await, [1_999_000; 8]);
}
