//! The cluster as the store of a registry: its lives begin and end by who enters and exits.

use async_trait::async_trait;
use tokio::time::Instant;

use crate::{
    Appended, Budget, Cluster, Draft, Epoch, Life, MessageStore, Opened, Page, Redaction, RoomName,
    StoreError, UserName, sync::Arc,
};

/// What is said in rooms over a cluster.
#[derive(Debug)]
pub(crate) struct ClusterStore(pub(crate) Arc<dyn Cluster>);

#[async_trait]
impl MessageStore for ClusterStore {
    /// Nobody opens a life here: whoever enters does.
    async fn open(&self, _: &RoomName, _: Option<Epoch>, _: Budget) -> Result<Opened, StoreError> {
        Err(StoreError::Closed)
    }

    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>> {
        self.0.append(life, drafts, deadline).await
    }

    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        self.0.read_before(life, before, budget).await
    }

    async fn read_after(
        &self,
        life: &Life,
        after: u64,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        self.0.read_after(life, after, budget).await
    }

    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        self.0.redact(life, seq, author, author).await
    }

    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError> {
        self.0.trim(life, up_to).await
    }

    /// What is imposed goes another way, because others impose things too.
    async fn note(&self, _: &Life, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// The last exit has done it.
    async fn close(&self, _: &Life) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn abandoned(&self) -> Result<Vec<Life>, StoreError> {
        Ok(Vec::new())
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        self.0.leave().await;
        Ok(())
    }
}
