//! Which step may start when: a state machine without threads and clocks.
//!
//! Steps start in the plan's order. Steps that only read run side by side, as many as there are jobs. A step that writes runs alone,
//! after every step before it and before every step behind it: so what each step sees does not depend on how fast others are.

use leasehold_tape::call::Status;

/// What the schedule has to know of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Positions of the steps that have to pass first.
    pub needs: Vec<usize>,
    /// Whether it may change files.
    pub writes: bool,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Start this step.
    Start(usize),
    /// This step cannot be judged: the step it needs (second) did not pass. It is done with that.
    Blocked(usize, usize),
    /// Nothing can start before a running step ends.
    Wait,
    /// Everything is done.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done(Status),
    NotRun,
}

/// The state of one run.
#[derive(Clone, Debug)]
pub struct Schedule {
    shapes: Vec<Shape>,
    order: Vec<usize>,
    states: Vec<State>,
    jobs: usize,
    running: usize,
    /// Everything before this place of the order is done.
    done_before: usize,
    halted: bool,
}

impl Schedule {
    /// A run of these steps. `order`: each position once, needs before those that need them. At least one job.
    pub fn new(shapes: Vec<Shape>, order: Vec<usize>, jobs: usize) -> Self {
        Schedule {
            states: vec![State::Waiting; shapes.len()],
            shapes,
            order,
            jobs: jobs.max(1),
            running: 0,
            done_before: 0,
            halted: false,
        }
    }

    /// What to do next; ask again after each answer but [`Next::Wait`] and [`Next::Done`].
    pub fn advance(&mut self) -> Next {
        while let Some(step) = self.order.get(self.done_before)
            && self.is_done(*step)
        {
            self.done_before += 1;
        }
        for place in self.done_before..self.order.len() {
            let step = self.order[place];
            match self.states[step] {
                State::Waiting => {}
                // Nothing passes a step that writes.
                State::Running if self.shapes[step].writes => break,
                _ => continue,
            }
            if let Some(need) = self.unmet(step) {
                self.states[step] = State::Done(Status::Blocked);
                return Next::Blocked(step, need);
            }
            let writes = self.shapes[step].writes;
            let free = if writes {
                place == self.done_before
            } else {
                self.running < self.jobs
            };
            if free && self.ready(step) {
                self.states[step] = State::Running;
                self.running += 1;
                return Next::Start(step);
            }
            if writes || self.running >= self.jobs {
                break;
            }
        }
        if self.running == 0 && self.states.iter().all(|state| !waits(*state)) {
            Next::Done
        } else {
            Next::Wait
        }
    }

    /// A started step has come out.
    pub fn finished(&mut self, step: usize, status: Status) {
        if self.states[step] == State::Running {
            self.running -= 1;
        }
        self.states[step] = State::Done(status);
    }

    /// Starts nothing any more; what waits is not run.
    pub fn halt(&mut self) {
        self.halted = true;
        for state in &mut self.states {
            if *state == State::Waiting {
                *state = State::NotRun;
            }
        }
    }

    /// Whether nothing is started any more.
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    /// What came of a step; `None`: not run, or not yet.
    pub fn status(&self, step: usize) -> Option<Status> {
        match self.states[step] {
            State::Done(status) => Some(status),
            State::Waiting | State::Running | State::NotRun => None,
        }
    }

    fn is_done(&self, step: usize) -> bool {
        matches!(self.states[step], State::Done(_) | State::NotRun)
    }

    /// A need that is done and did not pass.
    fn unmet(&self, step: usize) -> Option<usize> {
        let needs = self.shapes[step].needs.iter().copied();
        needs
            .filter(|need| self.is_done(*need))
            .find(|need| self.states[*need] != State::Done(Status::Pass))
    }

    fn ready(&self, step: usize) -> bool {
        let mut needs = self.shapes[step].needs.iter();
        needs.all(|need| self.states[*need] == State::Done(Status::Pass))
    }
}

fn waits(state: State) -> bool {
    matches!(state, State::Waiting | State::Running)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reader(needs: &[usize]) -> Shape {
        Shape {
            needs: needs.to_vec(),
            writes: false,
        }
    }

    fn writer() -> Shape {
        Shape {
            needs: Vec::new(),
            writes: true,
        }
    }

    fn schedule(shapes: &[Shape], jobs: usize) -> Schedule {
        Schedule::new(shapes.to_vec(), (0..shapes.len()).collect(), jobs)
    }

    #[test]
    fn readers_run_side_by_side_up_to_the_jobs() {
        let mut run = schedule(&[reader(&[]), reader(&[]), reader(&[])], 2);
        assert_eq!(run.advance(), Next::Start(0));
        assert_eq!(run.advance(), Next::Start(1));
        assert_eq!(run.advance(), Next::Wait);
        run.finished(1, Status::Fail);
        assert_eq!(run.advance(), Next::Start(2));
        run.finished(0, Status::Pass);
        run.finished(2, Status::Pass);
        assert_eq!(run.advance(), Next::Done);
    }

    #[test]
    fn a_writer_waits_for_all_before_it_and_all_behind_wait_for_it() {
        let mut run = schedule(&[reader(&[]), writer(), reader(&[])], 4);
        assert_eq!(run.advance(), Next::Start(0));
        assert_eq!(run.advance(), Next::Wait);
        run.finished(0, Status::Fail);
        assert_eq!(run.advance(), Next::Start(1));
        assert_eq!(run.advance(), Next::Wait);
        run.finished(1, Status::Error);
        assert_eq!(run.advance(), Next::Start(2));
    }

    #[test]
    fn what_needs_a_step_that_did_not_pass_is_blocked_down_the_line() {
        let mut run = schedule(&[reader(&[]), reader(&[0]), reader(&[1])], 4);
        assert_eq!(run.advance(), Next::Start(0));
        assert_eq!(run.advance(), Next::Wait);
        run.finished(0, Status::Skipped);
        assert_eq!(run.advance(), Next::Blocked(1, 0));
        assert_eq!(run.advance(), Next::Blocked(2, 1));
        assert_eq!(run.advance(), Next::Done);
    }

    #[test]
    fn a_halted_run_starts_nothing_and_ends_when_what_runs_has_ended() {
        let mut run = schedule(&[reader(&[]), reader(&[])], 1);
        assert_eq!(run.advance(), Next::Start(0));
        run.halt();
        assert_eq!(run.advance(), Next::Wait);
        run.finished(0, Status::Pass);
        assert_eq!(run.advance(), Next::Done);
        assert_eq!(run.status(0), Some(Status::Pass));
        assert_eq!(run.status(1), None);
    }

    proptest! {
        /// Whatever the needs, writers, jobs and outcomes: every step ends once, never beside a writer, never before its needs.
        #[test]
        fn every_run_ends_and_keeps_the_rules(
            steps in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<prop::sample::Index>(), 0..3)), 1..20),
            jobs in 1_usize..5,
            outcomes in prop::collection::vec(0_u8..5, 20),
            choices in prop::collection::vec(any::<prop::sample::Index>(), 40),
        ) {
            let shapes: Vec<Shape> = steps.iter().enumerate().map(|(at, (writes, needs))| Shape {
                needs: if at == 0 { Vec::new() } else { needs.iter().map(|need| need.index(at)).collect() },
                writes: *writes,
            }).collect();
            let mut run = schedule(&shapes, jobs);
            let mut running: Vec<usize> = Vec::new();
            let mut ended = vec![false; shapes.len()];
            let mut choices = choices.iter().cycle();
            loop {
                match run.advance() {
                    Next::Start(step) => {
                        prop_assert!(!ended[step] && !running.contains(&step));
                        for need in &shapes[step].needs {
                            prop_assert_eq!(run.status(*need), Some(Status::Pass));
                        }
                        if shapes[step].writes {
                            prop_assert!(running.is_empty());
                            prop_assert!(ended[..step].iter().all(|ended| *ended));
                        }
                        running.push(step);
                        prop_assert!(running.len() <= jobs);
                        prop_assert!(running.iter().all(|one| !shapes[*one].writes) || running.len() == 1);
                    }
                    Next::Blocked(step, need) => {
                        prop_assert!(shapes[step].needs.contains(&need));
                        prop_assert_ne!(run.status(need), Some(Status::Pass));
                        ended[step] = true;
                    }
                    Next::Wait => {
                        prop_assert!(!running.is_empty(), "nothing runs and nothing starts");
                        let at = choices.next().unwrap().index(running.len());
                        let step = running.swap_remove(at);
                        ended[step] = true;
                        let status = [Status::Pass, Status::Fail, Status::Error, Status::Blocked, Status::Skipped][usize::from(outcomes[step])];
                        run.finished(step, status);
                    }
                    Next::Done => break,
                }
            }
            prop_assert!(ended.iter().all(|ended| *ended));
        }
    }
}
