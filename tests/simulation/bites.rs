//! The simulation bites: each mistake is caught, within 1,000 seeds, and by the very promise that it breaks.

use crate::broken::Broken;
use crate::fact::{Fact, Failure};
use crate::first_failure;

const SEEDS_TO_BITE: u64 = 1_000;

fn is_noticed(broken: Broken) {
    let mut seeds = 0..SEEDS_TO_BITE;
    while let Some((seed, failure)) = first_failure(seeds.by_ref(), Some(broken)) {
        let Failure { fact, text } = failure;
        println!("{broken:?} is caught by seed {seed}: {fact:?}: {text}");
        if fact == broken.breaks() {
            return;
        }
        let breaks_too = broken.breaks_too();
        assert!(breaks_too.contains(&fact), "seed {seed}: {fact:?}: {text}");
    }
    panic!("{broken:?} was not caught by {SEEDS_TO_BITE} seeds");
}

#[test]
fn each_promise_is_broken_by_a_mistake() {
    for fact in Fact::ALL {
        let mut all = Broken::ALL.iter();
        assert!(all.any(|broken| broken.breaks() == fact), "{fact:?}");
    }
}

macro_rules! noticed {
    ($($name:ident: $broken:ident,)*) => {
        impl Broken {
            /// Each mistake has its test.
            const ALL: &[Self] = &[$(Self::$broken),*];
        }
        $(
            #[test]
            fn $name() {
                is_noticed(Broken::$broken);
            }
        )*
    };
}

noticed! {
    a_copy_that_is_taken_for_equal_is_noticed: EqualsAnything,
    a_copy_that_an_audit_takes_for_equal_is_noticed: AuditEqualsAnything,
    callbacks_that_are_not_synced_are_noticed: AppendUnsynced,
    a_confirmation_without_its_delay_is_noticed: NoConfirmDelay,
    a_destination_that_is_read_wrongly_is_noticed: BlindLook,
    a_condition_that_is_forgotten_is_noticed: ConditionIgnored,
    a_callback_that_is_forgotten_is_noticed: OneForgotten,
    an_outbox_that_is_not_read_is_noticed: OutboxUnread,
    an_old_copy_that_is_sent_is_noticed: OldCopySent,
    rows_that_committed_late_and_are_not_looked_for_are_noticed: HolesStayEmpty,
    a_window_that_is_too_short_is_noticed: WindowTooShort,
    a_checkpoint_that_is_ahead_is_noticed: CheckpointAhead,
    a_row_that_is_too_large_and_forgotten_is_noticed: AsideForgotten,
    holes_that_are_remembered_for_ever_are_noticed: HolesForEver,
    a_pass_that_takes_too_long_is_noticed: Oversleeps,
    a_destination_that_is_waited_for_again_is_noticed: AsksAgain,
    callbacks_that_are_taken_and_stay_owed_are_noticed: ReplaceForgotten,
    a_checkpoint_that_can_be_torn_is_noticed: TornCheckpoint,
    a_retry_after_that_is_ignored_is_noticed: RetryAfterIgnored,
    an_endpoint_that_took_nothing_and_is_sent_everything_is_noticed: OutageForgotten,
    a_row_that_does_not_wait_is_noticed: WaitForgotten,
    a_detection_that_is_taken_for_another_is_noticed: DetectedAnew,
    a_callback_that_was_taken_before_an_error_and_stays_owed_is_noticed: AnswersUnbooked,
    a_lock_that_keeps_nobody_out_is_noticed: LockForgotten,
    a_row_that_an_audit_is_not_shown_is_noticed: RowsSkipped,
    an_extra_row_that_is_not_told_is_noticed: NothingLacks,
    an_alter_that_is_overlooked_is_noticed: AlterOverlooked,
    a_meaning_that_is_forgotten_is_noticed: MeaningForgotten,
    a_maximum_that_never_goes_back_is_noticed: MaximumRemembered,
    landmarks_that_are_not_read_are_noticed: LandmarksUnread,
    a_row_that_is_given_no_time_to_come_back_is_noticed: GoneForGood,
    a_row_that_is_remembered_as_compared_for_ever_is_noticed: SeenForEver,
    callbacks_owed_by_the_order_of_destinations_are_noticed: OwedByOrder,
    positions_by_the_order_of_destinations_are_noticed: PositionsByOrder,
    a_panic_is_noticed: RowsBeyond,
}
