//! Every order in which things can happen, one after another.

pub(crate) mod kernel;

/// The choices of one run: how to go on, each time that there are several ways.
///
/// A run asks [`pick`](Self::pick) whenever something else could happen next, and must do the same
/// things after the same answers. [`all`] then repeats it until every row of answers was given.
#[derive(Default)]
pub(crate) struct Choices {
    /// What was picked, and out of how many.
    made: Vec<(usize, usize)>,
    /// How many of them this run has asked for.
    asked: usize,
}

impl Choices {
    /// One of `0..ways`: in a new place the first, later each of the others.
    pub(crate) fn pick(&mut self, ways: usize) -> usize {
        if self.asked == self.made.len() {
            self.made.push((0, ways));
        }
        let (picked, out_of) = self.made[self.asked];
        assert_eq!(out_of, ways, "the run does not repeat itself");
        self.asked += 1;
        picked
    }

    /// On to the next row of answers: the last choice that has another way takes it. False if
    /// there is none.
    fn advance(&mut self) -> bool {
        self.asked = 0;
        while let Some((picked, ways)) = self.made.pop() {
            if picked + 1 < ways {
                self.made.push((picked + 1, ways));
                return true;
            }
        }
        false
    }
}

/// Calls `run` once for every row of answers; says how many there were. `run` gets the choices and
/// gives them back.
pub(crate) fn all(mut run: impl FnMut(Choices) -> Choices) -> usize {
    let mut choices = Choices::default();
    let mut runs = 0;
    loop {
        choices = run(choices);
        runs += 1;
        if !choices.advance() {
            return runs;
        }
    }
}
